"""IdTagInfo (OCPP 1.6, 7.27): what a charger is told about a tag."""

from typing import Any

__all__ = ["accepted"]


def accepted() -> dict[str, Any]:
    """The tag may charge."""
    return {"status": "Accepted"}
