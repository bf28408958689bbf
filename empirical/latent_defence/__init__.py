"""Classifiers of images and of latent codes, attacked where they live and in pixels: a latent and an SVD defence, 1."""
