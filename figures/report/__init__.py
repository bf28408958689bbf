"""One page of everything: what the papers claim, what holds, what is refuted, and what trained networks do."""
