"""Networks: those that are trained here, and those that come with their weights."""
