"""A user's own classifier on images of their own: what the five papers say of it, each number with its claim."""
