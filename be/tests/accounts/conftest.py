"""The people of the pages' tests."""

from tests.pages.whole.conftest import browser, person, root, said_quietly, unwritten

__all__ = ["browser", "person", "root", "said_quietly", "unwritten"]
