"""Condition numbers of trained layers beside the accuracy under attack that they are said to explain."""
