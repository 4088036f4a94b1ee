"""The first steps: what a new installation asks once, each step to be skipped."""
