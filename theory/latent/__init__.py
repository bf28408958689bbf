"""Latent codes and truncated spectra."""
