"""Gradients of classifiers: the plane they span, and the path between two images."""
