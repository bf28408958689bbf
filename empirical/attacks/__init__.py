"""Brackets of the smallest successful perturbation: certified from below, attacked from above, one judge."""

from empirical.attacks.smallest import SmallestPerturbation, smallest_perturbation

__all__ = ["SmallestPerturbation", "smallest_perturbation"]
