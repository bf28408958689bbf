"""A classifier of photographs: its gradient along the way to another class, and the perturbations that lead there."""
