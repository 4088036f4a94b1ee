"""Operation: is everything well, who is told if not, and what Prometheus sees of it."""
