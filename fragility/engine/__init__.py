"""What every study shares: studies, shards, streams, records and the ways to run them."""
