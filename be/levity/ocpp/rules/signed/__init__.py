"""Signed meter values: read from what chargers send, and verified against a public key. Pure."""
