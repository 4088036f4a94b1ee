"""What those who open the database raise when they can't work on it."""

__all__ = ["CannotOpen"]


class CannotOpen(Exception):
    """This database can't be used as it is; the text says why, and what to do."""
