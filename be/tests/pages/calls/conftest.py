"""The people of the other pages' tests."""

from tests.pages.chargers.conftest import (
    browser_of_root,
    browser_of_viewer,
    root,
    time_zone,
    viewer,
)

__all__ = ["browser_of_root", "browser_of_viewer", "root", "time_zone", "viewer"]
