"""Products of Gaussian matrices: their R factor, depth, fractions, and selections of draws."""
