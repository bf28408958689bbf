"""Image classifiers with their bottom singular values shrunk, and their adversarial examples: latent and SVD, 3.6."""
