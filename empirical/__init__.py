"""What trained networks give: a package per experiment, and the data, models and attacks that they share."""
