"""What formulas share: the type of an array, checks of what comes in, exact magnitudes, products and spans."""
