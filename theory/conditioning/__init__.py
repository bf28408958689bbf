"""Condition numbers, the spectrum of Gaussian matrices, and how universal their laws are."""
