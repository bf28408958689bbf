"""Samplers that studies share."""
