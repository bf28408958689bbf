"""What is claimed: pure functions and laws, with one table of claims. Nothing here draws, prints or stores."""
