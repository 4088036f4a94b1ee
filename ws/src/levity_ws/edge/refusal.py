"""A handshake that the edge refuses, and text of strangers made fit to be shown."""

from dataclasses import dataclass

__all__ = ["Refusal", "printable"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with this HTTP status; `reason` is plain text for a person, and tells no secret.

    `reason` names what the charger sent and the one thing to change. `label` is the same in one
    word or two, for counters and the backend's list; `detail` stands there beside it.
    """

    status: int
    reason: str
    label: str
    retry_after: int = 0
    detail: str = ""


def printable(header: str, limit: int = 256) -> str:
    """A header as text that JSON and logs can take: no lone surrogates, not endless."""
    return header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:limit]
