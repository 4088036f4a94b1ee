"""The numbers of the overview."""

from typing import Any

from levity.pages.kit.hooks import Tile

__all__ = ["tile"]


def tile(title: str, value: Any, url: str, tone: str = "", note: str = "") -> Tile:
    """A number with what it counts, and the list behind it."""
    return {"title": title, "value": value, "url": url, "tone": tone, "note": note}
