"""What makes of chargers do differently, as data."""
