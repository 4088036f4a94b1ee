"""What a check of a condition returns, and how its texts are written."""

from dataclasses import dataclass, field
from datetime import datetime

from levity_ws.logs import visible

__all__ = ["AT_MOST", "Finding", "called", "plain"]

# More of one kind than anyone reads one by one; the rest is found when some of these are over.
AT_MOST = 5000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `subject` distinguishes it from others of its kind, now and next
    time."""

    kind: str
    subject: str
    summary: str
    detail: str = ""
    severity: str = ""
    charge_point: int | None = None
    site: int | None = None
    at: datetime | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """What makes it the same alert."""
        return f"{self.kind}:{self.subject}"[:200]


def plain(text: object, length: int = 200) -> str:
    """Text from a charger, on one line, without characters that control a terminal or a mail."""
    shown = visible(str(text))
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def called(identity: str | None, name: str | None) -> str:
    """The name of this charger for people, on one line."""
    if not identity:
        return "an unknown charger"
    return plain(f"{name} ({identity})" if name and name != identity else identity, 120)
