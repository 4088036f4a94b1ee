"""What a site's years take on its disk: days of real chargers' traffic, kept as a site keeps it."""
