"""An extension that bills by `sessions_changed`, in a table of its own; and some that fail."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from levity.ocpp import changes as told
from levity.ocpp.changes import Session, SessionChange
from levity.ocpp.models import MissedChange, Transaction

__all__ = ["BILL", "agree", "bill", "bills", "drop_table", "make_table"]

BILL = f"{__name__}.bill"


def make_table() -> None:
    """Empty; a table, and not a dict, for what is rolled back is not billed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE dummy_bill (session integer PRIMARY KEY, said text, wh numeric)"
        )


def drop_table() -> None:
    """Where the test's own transaction does not."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS dummy_bill")


def bill(changes: tuple[SessionChange, ...]) -> None:
    """Bill the difference; what is told to have been before has to be what was told last."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        for change in changes:
            session = change.after or change.before
            assert session is not None
            cursor.execute("SELECT said, wh FROM dummy_bill WHERE session = %s", [session.id])
            said, wh = cursor.fetchone() or ("None", 0)
            assert said == repr(change.before), f"{said} was told last, not {change.before!r}"
            assert change.before != change.after
            wh = Decimal(str(wh)) + _wh(change.after) - _wh(change.before)
            cursor.execute("DELETE FROM dummy_bill WHERE session = %s", [session.id])
            if change.after is None:
                assert wh == 0
                continue
            row = (session.id, repr(change.after), str(wh))
            cursor.execute("INSERT INTO dummy_bill VALUES (%s, %s, %s)", row)


def bills() -> dict[int, Decimal]:
    """Wh by session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT session, wh FROM dummy_bill")
        return {pk: Decimal(str(wh)) for pk, wh in cursor.fetchall()}


def agree(*, others: bool = False) -> None:
    """The bills are what the ledger says, and no receiver has failed.

    `others`: what `failing` writes beside them is passed over.
    """
    assert not MissedChange.objects.exists(), MissedChange.objects.first().traceback  # type: ignore[union-attr]
    rows = told._sessions(Transaction.objects.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        if others:
            cursor.execute("DELETE FROM dummy_bill WHERE session < 0")
        cursor.execute("SELECT session, said FROM dummy_bill")
        assert dict(cursor.fetchall()) == {pk: repr(row) for pk, row in rows.items()}
    assert bills() == {pk: _wh(row) for pk, row in rows.items()}


def _wh(session: Session | None) -> Decimal:
    return Decimal(0) if session is None or session.energy is None else session.energy


faults: list[Exception | str] = []
"""What the next calls of `failing` raise; a str is a statement that the database refuses."""
heard: list[Any] = []


def failing(changes: Sequence[SessionChange]) -> None:
    """Writes, and then fails as long as there are `faults`."""
    heard.append(tuple(changes))
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO dummy_bill VALUES (%s, 'half', 0)", [-len(heard)])
        if faults:
            fault = faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            cursor.execute(fault)


not_callable = 5


def record(changes: tuple[SessionChange, ...]) -> None:
    """Remember what was told, one entry a call."""
    heard.append(changes)
