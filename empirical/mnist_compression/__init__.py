"""A network of digits: sevens, the ones made out of them, and the perturbations between the two."""
