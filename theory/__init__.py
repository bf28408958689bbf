"""What is claimed: pure functions and laws, what they speak of, and the book of claims. Nothing draws or stores."""
