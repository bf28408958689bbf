"""Decisions of classifiers: what can be asked of one, whether a point flips it, and how far a half-space is."""
