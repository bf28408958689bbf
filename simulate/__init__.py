"""What a perfect random world gives: Monte Carlo studies, and the verdicts that put theory beside them."""
