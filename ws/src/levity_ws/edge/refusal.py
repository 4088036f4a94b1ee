"""A handshake that the edge refuses, and untrusted text made safe to show."""

from dataclasses import dataclass

__all__ = ["Refusal", "printable"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with this HTTP status; `reason` is plain text for a person, without secrets.

    `reason` names what the charger sent and the one thing to change. `label` is the same in one or
    two words, for counters and the backend's list; `detail` is shown there with it.
    """

    status: int
    reason: str
    label: str
    retry_after: int = 0
    detail: str = ""


def printable(header: str, limit: int = 256) -> str:
    """A header as text for JSON and logs: without lone surrogates, and of limited length."""
    return header.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:limit]
