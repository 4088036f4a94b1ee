"""Levity's laboratory: `levity bench` and `levity soak`."""
