"""For French."""
