"""A third-party extension as docs/extending.md describes one: it is not part of Levity."""
