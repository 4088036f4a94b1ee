"""Values at their places in a payload: `log.remoteLocation` is `{"log": {"remoteLocation": …}}`."""

from collections.abc import Mapping
from typing import Any

__all__ = ["at", "put"]


def put(payload: dict[str, Any], place: str, value: Any) -> None:
    """Put it there; the objects around it come into being."""
    *rooms, last = place.split(".")
    for room in rooms:
        payload = payload.setdefault(room, {})
    payload[last] = value


def at(payload: Any, place: str) -> Any:
    """What stands there; None if nothing does."""
    for name in place.split("."):
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload
