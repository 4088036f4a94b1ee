"""The people who look at the pages of chargers look at these, too."""

from tests.pages.chargers.conftest import (
    browser_of_root,
    browser_of_viewer,
    charger,
    root,
    time_zone,
    viewer,
)

__all__ = ["browser_of_root", "browser_of_viewer", "charger", "root", "time_zone", "viewer"]
