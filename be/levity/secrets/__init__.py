"""Sealed secrets, and the key that seals them."""
