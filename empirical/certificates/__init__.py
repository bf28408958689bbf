"""Lower bounds of the smallest perturbation, certified."""
