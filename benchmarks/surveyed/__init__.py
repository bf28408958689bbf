"""Samplers of other people with the laws that they should have: a file per family."""
