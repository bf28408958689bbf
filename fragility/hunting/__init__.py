"""Search for worlds in which a bound or an identity fails, and what makes such a world short and certain."""
