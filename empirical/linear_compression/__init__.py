"""Linear networks trained on all sign vectors: how much of the last column of A they look at."""
