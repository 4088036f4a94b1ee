"""The signed meter values behind a closed statement."""

from collections.abc import Iterator, Sequence

from levity.billing.models import Statement
from levity.ocpp.rules.signed.verdict import Judged
from levity.ocpp.store.signed import signed_sessions

__all__ = ["values_of"]

PORTION = 100


def values_of(statement: Statement) -> Iterator[tuple[int, Sequence[Judged]]]:
    """(session, its signed data) of each session that the statement names and that has some, in
    its order; a portion of them in memory."""
    named = (each.get("session") for each in statement.document.get("sessions", ()))
    keys = list(dict.fromkeys(key for key in named if isinstance(key, int)))
    for at in range(0, len(keys), PORTION):
        portion = keys[at : at + PORTION]
        found = signed_sessions(portion)
        yield from ((key, found[key].values) for key in portion if found[key].values)
