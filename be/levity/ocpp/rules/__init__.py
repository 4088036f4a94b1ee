"""What is decided of values alone: no database, no Django."""
