"""Joint bounds on inputs and weights that move within their radii: closed forms, relaxations, the exact optimum."""
