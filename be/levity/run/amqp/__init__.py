"""The worker's side of the broker."""
