"""Brackets of the smallest successful perturbation: certified from below, attacked from above, one judge."""
