"""What a charger sent and what was answered, to be held against the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

__all__ = ["Entry", "Ledger", "Verdict", "read_ledger", "verdict"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger.

    `event`: sent, result, error, timeout, lost (the connection broke first), dropped (the charger
    gave up); call (from the central system) and replied. `key` names the message for ever: it stays
    when a retry gets a new message id, so all attempts of one message share it.
    """

    event: str
    at: str
    charge_point: str
    key: int
    unique_id: str
    action: str
    payload: Mapping[str, Any] | None = None
    transactional: bool = False
    attempt: int = 0


class Ledger:
    """Append-only. With a directory, each line is on its way to the disk before the frame is sent.

    Its file is open only while a line is written: of ten thousand chargers each has a socket.
    `keep` holds the entries in memory as well, for tests and short runs.
    """

    def __init__(
        self, charge_point: str, *, directory: Path | None = None, keep: bool = False
    ) -> None:
        self._charge_point = charge_point
        self._keep = keep
        self.entries: list[Entry] = []
        self._path: Path | None = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._path = directory / f"{quote(charge_point, safe='')}.jsonl"
            self._path.touch()

    @property
    def wanted(self) -> bool:
        """False when nothing would be written."""
        return self._keep or self._path is not None

    def write(
        self,
        event: str,
        at: str,
        key: int,
        unique_id: str,
        action: str,
        payload: Mapping[str, Any] | None = None,
        *,
        transactional: bool = False,
        attempt: int = 0,
    ) -> None:
        """Append one entry."""
        if not self.wanted:
            return
        entry = Entry(
            event, at, self._charge_point, key, unique_id, action, payload, transactional, attempt
        )
        if self._keep:
            self.entries.append(entry)
        if self._path is not None:
            with self._path.open("ab", buffering=0) as file:
                file.write(orjson.dumps(entry) + b"\n")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a ledger says of the transaction messages: each message counts once, by its key.

    `payloads` and `answers` are by key; a message in `acknowledged` must be in the database, once.
    """

    attempted: frozenset[int]
    acknowledged: frozenset[int]
    dropped: frozenset[int]
    actions: Mapping[int, str]
    payloads: Mapping[int, Mapping[str, Any]]
    answers: Mapping[int, Mapping[str, Any]]


def verdict(entries: list[Entry]) -> Verdict:
    """Sum up the entries of one charge point."""
    mine = [entry for entry in entries if entry.transactional]
    sent = [entry for entry in mine if entry.event == "sent"]
    results = [entry for entry in mine if entry.event == "result"]
    return Verdict(
        attempted=frozenset(entry.key for entry in sent),
        acknowledged=frozenset(entry.key for entry in results),
        dropped=frozenset(entry.key for entry in mine if entry.event == "dropped"),
        actions={entry.key: entry.action for entry in sent},
        payloads={entry.key: entry.payload or {} for entry in sent},
        answers={entry.key: entry.payload or {} for entry in results},
    )


def read_ledger(path: Path) -> list[Entry]:
    """The entries of a file that a Ledger wrote. A last line that broke off is left out."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(Entry(**orjson.loads(line)))
        except orjson.JSONDecodeError:
            break
    return entries
