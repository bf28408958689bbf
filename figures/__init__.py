"""What a reader looks at: one file per figure, drawn from records."""
