"""What figures share: records, style, the command."""
