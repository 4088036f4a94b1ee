"""Local lists of chargers: what they said about them.

No statement in a batch that has nothing about one. What follows is decided by
`decisions.local_lists`, which looks every few seconds.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from levity.db.prepared import Prepared
from levity.db.rows import upsert_rows
from levity.ocpp.effects import LocalListAnswered, LocalListVersion
from levity.ocpp.models import LocalList
from levity.ocpp.rules.local_list import BACKOFF
from levity.ocpp.store.values import Outcome, each

__all__ = ["write_local_lists"]

State = LocalList.State
COLUMNS = (
    *("is_on", "command_id", "state", "reason", "version", "is_known", "is_checked", "tries"),
    *("next_at", "said", "answered_at"),
)
_NEW: dict[str, Any] = {
    "is_on": False,
    "command_id": None,
    "state": State.OFF.value,
    "reason": "",
    "version": None,
    "is_known": False,
    "is_checked": False,
    "tries": 0,
    "next_at": None,
    "said": "",
    "answered_at": None,
}
NO_LIST = "The charger keeps no local list."
# What the columns of a new row are that nothing is known of.
_REST: dict[str, Any] = {
    "wanted": 0,
    "behind": 0,
    "left_out": 0,
    "content": "",
    "pending": "",
    "has_asked_limits": False,
    "seen": 0,
}


def write_local_lists(outcomes: Sequence[Outcome]) -> None:
    """Write what chargers said of their lists."""
    told: list[tuple[int, datetime, LocalListAnswered | LocalListVersion]] = []
    for outcome, charge_point, answered in each(outcomes, LocalListAnswered):
        told.append((charge_point.id, outcome.arrival.at, answered))
    for outcome, charge_point, version in each(outcomes, LocalListVersion):
        told.append((charge_point.id, outcome.arrival.at, version))
    if not told:
        return
    known = {
        row[0]: dict(zip(COLUMNS, row[1:], strict=True))
        for row in _KNOWN.rows(sorted({pk for pk, _, _ in told}))
    }
    changed: dict[int, dict[str, Any]] = {}
    taken: list[int] = []
    for pk, at, effect in told:
        row = changed.setdefault(pk, {**_NEW, **known.get(pk, {})})
        row["answered_at"] = at
        is_ours = row["command_id"] == effect.command_id
        if isinstance(effect, LocalListAnswered):
            _answered(row, effect, at, is_ours=is_ours)
            if effect.is_accepted and is_ours:
                taken.append(pk)
        else:
            _version(row, effect, at, is_ours=is_ours)
    upsert_rows(
        LocalList,
        ("charge_point_id", *COLUMNS, *_REST),
        [(pk, *(row[name] for name in COLUMNS), *_REST.values()) for pk, row in changed.items()],
        key=("charge_point_id",),
        update=COLUMNS,
    )
    if taken:
        LocalList.objects.filter(charge_point__in=taken).update(content=F("pending"), pending="")


def _answered(
    row: dict[str, Any], effect: LocalListAnswered, at: datetime, *, is_ours: bool
) -> None:
    row["said"] = effect.said
    if effect.is_accepted:
        row.update(version=effect.version, is_known=is_ours, tries=0, next_at=at, reason="")
        if not is_ours and row["is_on"]:
            row["state"] = State.BEHIND.value
    elif not effect.is_supported:
        _unsupported(row, effect.said)
    elif is_ours:
        # What is in its list now is not sure: the next is a whole one.
        row.update(is_known=False, is_checked=False)
        what = (
            "Its list had another version; a full list follows."
            if effect.is_mismatch
            else f"The charger answered {effect.said}; a full list follows."
        )
        _failed(row, what, at, at_once=effect.is_mismatch)


def _version(row: dict[str, Any], effect: LocalListVersion, at: datetime, *, is_ours: bool) -> None:
    row["said"] = effect.said or ("" if effect.version is None else str(effect.version))[:64]
    if not effect.is_supported:
        row["version"] = effect.version
        _unsupported(row, row["said"])
    elif effect.version is None:
        if is_ours:
            _failed(row, f"Its version is not known: the charger answered {effect.said}.", at)
    else:
        is_same = row["version"] == effect.version
        row.update(
            version=effect.version,
            is_known=row["is_known"] and is_same,
            is_checked=True,
            next_at=at,
        )


def _unsupported(row: dict[str, Any], said: str) -> None:
    row.update(reason=f"{NO_LIST} It answered {said}."[:255], next_at=None, is_known=False)
    row["state"] = State.NOT_SUPPORTED.value if row["is_on"] else State.OFF.value


def _failed(row: dict[str, Any], reason: str, at: datetime, *, at_once: bool = False) -> None:
    tries = row["tries"]
    row["tries"] = tries + 1
    if tries >= len(BACKOFF):
        row.update(state=State.FAILED.value, next_at=None)
        row["reason"] = f"{reason.split(';')[0]} Given up after {tries + 1} attempts."[:255]
    else:
        is_first = at_once and tries == 0
        row.update(state=State.BEHIND.value, next_at=at if is_first else at + BACKOFF[tries])
        row["reason"] = reason[:255]


_KNOWN = Prepared(
    lambda charge_points: (
        LocalList.objects.filter(charge_point__any_of=charge_points)
        .order_by()
        .values_list("charge_point_id", *COLUMNS)
    )
)
