"""Checks of a user's own code: a sampler against a law, a mean or another sampler, a relation in random worlds."""
