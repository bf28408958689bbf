"""Convolutions: circulant matrices, ConvNorm, wide residual networks, robust accuracy."""
