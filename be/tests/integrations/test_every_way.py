"""Events about sessions say what `sessions_changed` says, in every way in which a session changes.

The ways are those of `tests/ocpp/test_changes.py`, which docs/extending.md lists.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from levity.integrations.models import Event
from levity.integrations.outbox import note_reader
from levity.ocpp import events
from levity.ocpp.changes import Session, SessionChange
from levity.ocpp.session_events import session_data
from tests.ocpp.extension import billing
from tests.ocpp.test_changes import RECORD, WAYS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def told(settings: Any) -> Iterator[None]:
    """What `sessions_changed` tells is remembered, and somebody reads every event."""
    from django.utils import timezone

    billing.make_table()
    billing.heard.clear()
    settings.OCPP_SESSIONS_CHANGED = [billing.BILL, RECORD]
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    note_reader("a test", (), timezone.now())
    events.refresh()
    yield
    billing.heard.clear()


def kinds(before: Session | None, after: Session | None) -> set[str]:
    """What an event for this change may be called."""
    if after is None:
        return {"session.corrected"}
    if before is None:
        return {"session.started"} if after.state == "active" else {"session.ended"}
    if after.state == "active":
        return {"session.updated"}
    return {"session.ended"} if before.state == "active" else {"session.corrected"}


FIGURES = ("state", "energy_wh", "meter_stop_wh", "stopped_at", "flags")


def figures(session: Session) -> dict[str, Any]:
    data = session_data(
        session.id,
        (session.evse, session.connector),
        session.state,
        started_at=session.started_at,
        stopped_at=session.stopped_at,
        meter_start=session.meter_start,
        meter_stop=session.meter_stop,
        energy=session.energy,
        flags=session.flags,
    )
    return {name: data.get(name) for name in FIGURES}


@pytest.mark.parametrize("name", list(WAYS))
def test_every_way_in_which_a_session_changes_is_an_event(name: str) -> None:
    play, _ = WAYS[name]
    play()
    changes: tuple[SessionChange, ...] = billing.heard[-1]
    for change in changes:
        session = change.after or change.before
        assert session is not None
        found = Event.objects.filter(
            type__in=kinds(change.before, change.after), data__session=session.id
        ).order_by("-id")
        newest = found.first()
        if newest is None and change.after is not None and change.after.state == "active":
            # At most one in a minute says how it goes on.
            assert Event.objects.filter(type="session.updated").exists(), name
            continue
        assert newest is not None, name
        if change.after is not None:
            assert {item: newest.data.get(item) for item in FIGURES} == figures(session), name
        else:
            assert newest.data["removed"] is True
        assert newest.id_tag == session.id_tag
        assert session.id_tag not in str(newest.data)
