"""The bill's arithmetic, without Django: values in, lines out."""
