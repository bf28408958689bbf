"""Classifiers of images and of latent codes under attack, each in its own space and all in pixels (latent defence)."""
