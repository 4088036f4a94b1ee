"""For Dutch."""
