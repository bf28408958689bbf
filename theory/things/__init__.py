"""What a statement speaks of and an experiment may use as well: networks and what one does to them; no answer."""
