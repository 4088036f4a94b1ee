"""The event `sessions_changed`: told whenever a session begins, changes, ends or is taken away.

Receivers are the functions that `OCPP_SESSIONS_CHANGED` names. Each is called once for a database
transaction, inside of it, with all sessions whose figures that transaction has changed: as they
were and as they are. docs/extending.md lists the ways in which a session changes; ADR 28 says why
this is no Django signal, and what happens where a receiver fails.

Whoever writes a session does so within `changes_told`.
"""

import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.module_loading import import_string

from levity.db.prepared import Prepared
from levity.db.rows import insert_rows
from levity.ocpp import events
from levity.ocpp.conf import setting
from levity.ocpp.models import ChangedSession, MissedChange, Transaction
from levity.ocpp.session_events import session_events
from levity_ws.frozen import frozen

__all__ = [
    "BadReceiver",
    "Session",
    "SessionChange",
    "all_receivers",
    "changes_told",
    "load_receiver",
    "missed",
    "receivers",
    "renew_receivers",
    "tell_again",
]

log = logging.getLogger(__name__)


@frozen
class Session:
    """What a session's row says: whose it is, how it stands, and what it comes to."""

    id: int
    """The row's, `ocpp.Transaction`."""
    charge_point_id: int
    identity: str
    """The charge point's, as it is spelled in its row."""
    evse: int
    connector: int | None
    """None: not known, which OCPP 2.0.1 allows."""
    id_tag: str
    state: str
    """`active`, `stopped` or `orphaned`."""
    started_at: datetime
    """The charger's clock, like `stopped_at`."""
    stopped_at: datetime | None
    meter_start: Decimal | None
    """Wh, like `meter_stop` and `energy`. None: not told, which OCPP 2.0.1 allows."""
    meter_stop: Decimal | None
    energy: Decimal | None
    """So far, or in the end."""
    energy_source: str
    confidence: str
    """In the energy: `high`, `medium`, `low`; empty while the session runs."""
    flags: tuple[str, ...]


@frozen
class SessionChange:
    """One session before and after a database transaction; the two differ."""

    before: Session | None
    """None: the session is new."""
    after: Session | None
    """None: the session is gone."""


Receiver = Callable[[tuple[SessionChange, ...]], object]


class BadReceiver(Exception):
    """An entry of OCPP_SESSIONS_CHANGED that can't be used; the text names it and says why."""


def load_receiver(path: Any) -> Receiver:
    """The function that an entry of OCPP_SESSIONS_CHANGED names."""
    if not isinstance(path, str) or "." not in path:
        raise BadReceiver(f"{path!r} is not a dotted path (package.module.function)")
    try:
        found: object = import_string(path)
    except Exception as error:  # whatever its author wrote: the entry is to be named
        raise BadReceiver(f"{path!r} can't be imported: {error!r}") from error
    if not callable(found):
        raise BadReceiver(f"{path!r} is not callable")
    return found


def all_receivers() -> tuple[str, ...]:
    """The paths of all receivers: those of the setting, then those of installed apps."""
    return (*setting("OCPP_SESSIONS_CHANGED"), *(path for path, _, _ in _of_apps()))


def receivers() -> tuple[str, ...]:
    """Those that are told now: an app's only while it says that it is set up."""
    awake = (path for path, is_set_up, _ in _of_apps() if import_string(is_set_up)())
    return (*setting("OCPP_SESSIONS_CHANGED"), *awake)


def renew_receivers() -> None:
    """Let the receivers of apps look whether they are set up. Outside of a batch: they may ask the
    database."""
    for _, _, refresh in _of_apps():
        import_string(refresh)()


@cache
def _of_apps() -> tuple[tuple[str, str, str], ...]:
    """`levity_sessions_changed` of the config of each app that has it: a receiver, a function that
    says without waiting whether it is to be told, and one that looks whether that is still so."""
    configs = apps.get_app_configs()
    found = (getattr(config, "levity_sessions_changed", None) for config in configs)
    return tuple(each for each in found if each)


class _Open(threading.local):
    """What this thread has begun to change; None outside of `changes_told`."""

    before: dict[int, Session | None] | None = None


_open = _Open()


@contextmanager
def changes_told(
    ids: Callable[[], Iterable[int]] = tuple,
    *,
    with_events: bool = True,
    of_hours: Callable[[], Iterable[int]] | None = None,
) -> Iterator[None]:
    """What is done in here to the sessions of these ids is told at the end, to all receivers.

    Inside a database transaction only. Within another `changes_told` it adds to that one, so that
    a receiver is called once. `with_events` False: whoever writes tells the events of these
    sessions itself. `of_hours`: those of which the hours have to be counted again
    (`SessionHour`), where that are not all of them.
    """
    _mark((of_hours or ids)())
    types = events.wanted() if with_events else events.NOTHING
    tells_events = not types.isdisjoint(events.SESSIONS)
    told = receivers()
    if not (told or tells_events):
        yield
        return
    if _open.before is not None:
        _note(ids(), _open.before)
        yield
        return
    before = _open.before = {}
    try:
        _note(ids(), before)
        yield
    finally:
        _open.before = None
    after = _sessions(before)
    changes = tuple(
        SessionChange(known, after.get(pk))
        for pk, known in sorted(before.items())
        if known != after.get(pk)
    )
    if changes:
        for path in told:
            _tell(path, changes)
        if tells_events:
            events.tell(session_events(changes, timezone.now()), types)


def tell_again() -> int:
    """Tell receivers what they failed at, each in its order; how many times one took it."""
    told = 0
    for path in all_receivers():
        while _tell_oldest(path):
            told += 1
    return told


def missed() -> list[tuple[str, int, str]]:
    """(receiver, how many changes wait for it, at what it failed) of each that is behind."""
    rows = MissedChange.objects.order_by("receiver").values_list("receiver")
    found: list[tuple[str, int, str]] = []
    for receiver, count, oldest in rows.annotate(Count("pk"), Min("pk")):
        failures = MissedChange.objects.filter(pk=oldest).values_list("traceback", flat=True)
        failure = failures.first() or ""
        found.append((receiver, count, failure.strip().rpartition("\n")[2]))
    return found


COLUMNS = tuple(
    "charge_point__identity" if item.name == "identity" else item.name for item in fields(Session)
)
# Locked as the UPDATE would do a moment later: what is "before" stays so until then.
SESSIONS = Prepared(
    lambda ids: Transaction.objects.filter(id__any_of=ids).order_by("id").values_list(*COLUMNS),
    locking="FOR NO KEY UPDATE OF ocpp_transaction",
)


def _mark(ids: Iterable[int]) -> None:
    insert_rows(ChangedSession, ("session",), [(pk,) for pk in sorted(set(ids))])


def _note(ids: Iterable[int], before: dict[int, Session | None]) -> None:
    """Add these sessions as they are now, unless they were noted before."""
    if new := {pk for pk in ids if pk not in before}:
        found = _sessions(new)
        before.update((pk, found.get(pk)) for pk in new)


def _sessions(ids: Iterable[int]) -> dict[int, Session]:
    if not connections[DEFAULT_DB_ALIAS].in_atomic_block:
        raise transaction.TransactionManagementError(
            "sessions may only change inside a transaction"
        )
    wanted = list(ids)
    rows = SESSIONS.rows(wanted) if wanted else []
    return {row[0]: Session(*(*row[:-1], tuple(row[-1].split()))) for row in rows}


def _tell(path: str, changes: tuple[SessionChange, ...]) -> None:
    """Call this receiver; what it fails at is kept, and so is all that comes behind that."""
    if MissedChange.objects.filter(receiver=path).exists():
        _keep(path, changes, "")
    elif failure := _failure(path, changes):
        _keep(path, changes, failure)


def _failure(path: str, changes: tuple[SessionChange, ...]) -> str:
    """Why the receiver could not take these changes; empty if it took them.

    What it wrote until then is undone. Raises what took the whole database transaction along.
    """
    try:
        with transaction.atomic():
            load_receiver(path)(changes)
    except Exception as error:
        if connections[DEFAULT_DB_ALIAS].needs_rollback:
            raise
        log.exception(
            "%s failed at %d changed sessions; they are stored, and sent again in a minute",
            path,
            len(changes),
        )
        return "".join(traceback.format_exception(error)).encode("utf-8", "replace").decode()
    return ""


def _keep(path: str, changes: tuple[SessionChange, ...], failure: str) -> None:
    MissedChange.objects.create(
        receiver=path,
        changes=[[_as_json(change.before), _as_json(change.after)] for change in changes],
        traceback=failure.replace("\0", ""),
    )


def _tell_oldest(path: str) -> bool:
    """True if there was something to tell, and the receiver took it."""
    if not MissedChange.objects.filter(receiver=path).exists():
        return False
    with transaction.atomic():
        rows = MissedChange.objects.select_for_update().filter(receiver=path)
        row = rows.order_by("id").first()
        if row is None:
            return False
        failure = _failure(
            path,
            tuple(SessionChange(*(_of_json(item) for item in change)) for change in row.changes),
        )
        if not failure:
            row.delete()
            return True
        row.traceback = failure.replace("\0", "")
        row.save(update_fields=["traceback"])
    return False


TIMES = ("started_at", "stopped_at")
NUMBERS = ("meter_start", "meter_stop", "energy")


def _as_json(session: Session | None) -> dict[str, Any] | None:
    if session is None:
        return None
    said = {item.name: getattr(session, item.name) for item in fields(session)}
    for name in (*TIMES, *NUMBERS):
        said[name] = said[name] if said[name] is None else str(said[name])
    return said


def _of_json(said: dict[str, Any] | None) -> Session | None:
    if said is None:
        return None
    read: dict[str, Any] = {**said, "flags": tuple(said["flags"])}
    for names, of_text in ((TIMES, datetime.fromisoformat), (NUMBERS, Decimal)):
        read |= {name: of_text(said[name]) for name in names if said[name] is not None}
    return Session(**read)
