"""What is kept sealed, and the key that it is sealed with."""
