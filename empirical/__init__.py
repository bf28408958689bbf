"""What trained networks give: data, models, attacks, and one study per experiment."""
