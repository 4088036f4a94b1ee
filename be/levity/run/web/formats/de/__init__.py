"""For German."""
