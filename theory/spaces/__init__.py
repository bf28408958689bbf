"""Spaces of worlds in which a hunt looks for failures of relations."""
