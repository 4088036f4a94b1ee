"""Frames as chargers sent them: the files of be/tests/conversations/captures, read."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["CAPTURES", "Capture", "captures", "moments"]

CAPTURES = Path(__file__).parents[1] / "conversations" / "captures"
MINUTE = timedelta(minutes=1)
SOME_HOUR = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Capture:
    """One file."""

    name: str
    about: dict[str, Any]
    rows: list[dict[str, str]]

    @property
    def plays(self) -> bool:
        """False for what Levity does not speak."""
        return "skip" not in (self.about.get("replay") or {})

    @property
    def runs_on(self) -> bool:
        """True where a session is under way when the capture ends."""
        from tests.field.right import RIGHT

        right = RIGHT.get(self.name)
        return right is None or any(item.stop is None for item in right.sessions)

    @property
    def handshake(self) -> str:
        """The charger's HTTP request, letter by letter; empty where it was not captured."""
        found = (row["text"] for row in self.rows if row["from"] == "charger")
        return next((text for text in found if text.startswith("GET ")), "")

    @property
    def frames(self) -> list[dict[str, str]]:
        """All rows but the handshake's."""
        return [row for row in self.rows if not row["note"].startswith("handshake")]

    @property
    def now(self) -> datetime | None:
        """When the last frame came, where no clock in it tells."""
        now = (self.about.get("replay") or {}).get("now")
        return datetime.fromisoformat(now) if now else None

    @property
    def first_moment(self) -> datetime:
        """The earliest time that anybody names; some hour where nobody does."""
        start = json.dumps((self.about.get("replay") or {}).get("start") or "")
        texts = [start, *(row["text"] for row in self.frames)]
        first = min((at for text in texts for at in moments(text)), default=SOME_HOUR)
        return first if self.now is None else self.now - MINUTE

    @property
    def said(self) -> list[str]:
        """The charger's frames."""
        return [row["text"] for row in self.frames if row["from"] == "charger"]


@cache
def captures() -> list[Capture]:
    """All files, in the order of their names."""
    return [_read(path) for path in sorted(CAPTURES.glob("*.jsonl"))]


def _read(path: Path) -> Capture:
    head, *rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return Capture(path.stem, head, rows)


def moments(text: str) -> list[datetime]:
    """The times in a frame, read as UTC where they name no zone; broken JSON, too."""
    found = []
    for name in ('"timestamp"', '"currentTime"'):
        for rest in text.split(name)[1:]:
            value = rest.partition('"')[2].partition('"')[0]
            moment = datetime.fromisoformat(value)
            found.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return found
