"""Laws of random numbers, in the manner of frozen distributions of scipy.stats."""
