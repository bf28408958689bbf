"""Theory beside records: evidence, bands, verdicts, and the campaigns that draw until a verdict is decided."""
