"""Writing how chargers are configured: what they report, and what was changed.

No statement at all in a batch in which no charger answers such a Call, and a fixed number of them
in one in which many do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from levity.db.rows import insert_rows, upsert_rows
from levity.ocpp.effects import ConfigurationChanged, ConfigurationRead, ReportedKey
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationChange,
    ConfigurationKey,
    ConfigurationState,
)
from levity.ocpp.request import ChargePointState
from levity.ocpp.store.values import Outcome, each
from levity.ocpp.wire.masking import MASK
from levity.ocpp.wire.private import is_secret

__all__ = ["BY_READING", "MOST_ROWS", "write_configuration"]

MOST_ROWS = 2000
"""Keys of one charge point that are kept, however many it invents."""
BY_READING = "found by reading"
"""The `how` of a change that nobody here has asked for."""

COLUMNS = (
    *("charge_point_id", "name", "key", "value", "is_secret", "readonly", "is_unknown", "note"),
    *("read_at", "pending_value", "pending_at", "reboot_required"),
    *("refused_value", "refused_why", "refused_at"),
    *("previous_value", "changed_at", "changed_by_id", "changed_by_name"),
)


@dataclass(slots=True)
class _Row:
    """A row of `ConfigurationKey`, as it is going to be; the fields are its columns."""

    charge_point_id: int
    name: str
    key: str
    value: str | None = None
    is_secret: bool = False
    readonly: bool | None = None
    is_unknown: bool = False
    note: str = ""
    read_at: datetime | None = None
    pending_value: str | None = None
    pending_at: datetime | None = None
    reboot_required: bool = False
    refused_value: str | None = None
    refused_why: str = ""
    refused_at: datetime | None = None
    previous_value: str | None = None
    changed_at: datetime | None = None
    changed_by_id: int | None = None
    changed_by_name: str = ""

    @property
    def is_known(self) -> bool:
        """`value` is what the charger had, as far as was told."""
        was_set = self.changed_at is not None and self.pending_at is None
        return not self.is_unknown and (self.read_at is not None or was_set)


Who = tuple[int | None, str]
"""(user id, the name or the source)."""


class _Books:
    """What stood in the table of these charge points, and what is to be written."""

    def __init__(self, charge_points: set[int]) -> None:
        self.rows: dict[int, dict[str, _Row]] = {pk: {} for pk in charge_points}
        known = ConfigurationKey.objects.filter(charge_point__in=charge_points).order_by()
        for values in known.values_list(*COLUMNS):
            row = _Row(*values)
            self.rows[row.charge_point_id][row.name] = row
        self.touched: dict[tuple[int, str], _Row] = {}
        self.changes: list[tuple[Any, ...]] = []
        self.states: dict[int, tuple[datetime, int]] = {}

    def row(self, charge_point: int, key: str) -> _Row | None:
        """The row of this key, from now on to be written; None: there are enough of them."""
        name = key.lower()[:255]
        mine = self.rows[charge_point]
        if name not in mine:
            if len(mine) >= MOST_ROWS:
                return None
            mine[name] = _Row(charge_point, name, key, is_secret=is_secret(key))
        self.touched[charge_point, name] = mine[name]
        return mine[name]

    def change(
        self, row: _Row, old: str | None, new: str | None, how: str, at: datetime, who: Who
    ) -> None:
        """This key has another value: on the row, and in the history."""
        row.previous_value, row.changed_at = old, at
        row.changed_by_id, row.changed_by_name = who
        self.changes.append((row.charge_point_id, row.key, old, new, how, at, *who))

    def write(self) -> None:
        """Everything, in three statements."""
        upsert_rows(
            ConfigurationKey,
            COLUMNS,
            [tuple(getattr(row, name) for name in COLUMNS) for row in self.touched.values()],
            key=("charge_point_id", "name"),
            update=COLUMNS[2:],
        )
        insert_rows(
            ConfigurationChange,
            (
                *("charge_point_id", "key", "old_value", "new_value", "how", "at"),
                *("who_id", "who_name"),
            ),
            self.changes,
        )
        upsert_rows(
            ConfigurationState,
            ("charge_point_id", "read_at", "keys_read"),
            [(pk, *values) for pk, values in sorted(self.states.items())],
            key=("charge_point_id",),
            update=("read_at", "keys_read"),
        )


def write_configuration(outcomes: Sequence[Outcome]) -> None:
    """The keys that chargers have reported, and those that they have changed or refused."""
    answers = [item for item in outcomes if item.command is not None and item.effects]
    if not answers:
        return
    found: list[tuple[Outcome, ChargePointState, ConfigurationRead | ConfigurationChanged]] = [
        *each(answers, ConfigurationRead),
        *each(answers, ConfigurationChanged),
    ]
    if not found:
        return
    asked = [
        effect.command_id for _, _, effect in found if isinstance(effect, ConfigurationChanged)
    ]
    who = _who_asked(asked)
    owners = {owner.id for _, owner, _ in found}
    books = _Books(owners)
    booted = _boots(owners)
    # In the order in which they came.
    place = {id(item): number for number, item in enumerate(answers)}
    for outcome, owner, effect in sorted(found, key=lambda item: place[id(item[0])]):
        at = outcome.arrival.at
        if isinstance(effect, ConfigurationRead):
            _note_reading(books, owner, effect, at, booted.get(owner.id))
        else:
            _note_answer(books, owner, effect, at, who.get(effect.command_id, (None, "")))
    books.write()


def _who_asked(commands: Sequence[int]) -> Mapping[int, Who]:
    """By command, who asked for it; a source where it was no person."""
    if not commands:
        return {}
    rows = Command.objects.filter(pk__in=commands).select_related("requested_by").order_by()
    return {
        row.pk: (
            row.requested_by_id,
            (row.requested_name or str(row.requested_by or row.source))[:150],
        )
        for row in rows
    }


def _boots(charge_points: set[int]) -> Mapping[int, datetime | None]:
    rows = ChargePoint.objects.filter(pk__in=charge_points).order_by()
    return dict(rows.values_list("pk", "booted_at"))


def _note_reading(
    books: _Books,
    owner: ChargePointState,
    effect: ConfigurationRead,
    at: datetime,
    booted_at: datetime | None,
) -> None:
    for item in effect.keys:
        if (row := books.row(owner.id, item.key)) is not None:
            _note_value(books, row, item, at, booted_at)
    for key in effect.unknown:
        if (row := books.row(owner.id, key)) is not None:
            row.is_unknown, row.read_at, row.value = True, at, None
            row.pending_value, row.pending_at = None, None
    if effect.is_all:
        books.states[owner.id] = at, len(effect.keys)


def _note_value(
    books: _Books, row: _Row, item: ReportedKey, at: datetime, booted_at: datetime | None
) -> None:
    has_booted = row.pending_at is not None and booted_at is not None and booted_at > row.pending_at
    expected = {row.value} if not has_booted else {row.pending_value}
    if row.pending_at is not None:
        # Some chargers report the new value before they have rebooted.
        expected.add(row.pending_value)
    if row.is_known and item.value not in expected:
        old = row.pending_value if has_booted else row.value
        books.change(row, old, item.value, BY_READING, at, (None, ""))
    if has_booted or item.value == row.pending_value:
        row.pending_value, row.pending_at = None, None
    row.key, row.value, row.readonly, row.note = item.key, item.value, item.readonly, item.note
    row.is_unknown, row.read_at = False, at
    row.is_secret = row.is_secret or (item.value or "").find(MASK) >= 0


def _note_answer(
    books: _Books,
    owner: ChargePointState,
    effect: ConfigurationChanged,
    at: datetime,
    who: Who,
) -> None:
    row = books.row(owner.id, effect.key)
    if row is None:
        return
    row.is_secret = row.is_secret or effect.value == MASK
    if not effect.is_taken:
        row.refused_value, row.refused_why, row.refused_at = effect.value, effect.said, at
        return
    row.refused_value, row.refused_why, row.refused_at = None, "", None
    row.is_unknown = False
    books.change(row, row.value, effect.value, effect.said, at, who)
    if effect.after_reboot:
        row.pending_value, row.pending_at, row.reboot_required = effect.value, at, True
    else:
        row.value, row.pending_value, row.pending_at = effect.value, None, None
