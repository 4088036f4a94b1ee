"""A capture's outcome against `right.py`."""

import json
from typing import Any

from levity.ocpp.conversation.lines import head_of
from levity.ocpp.models import Connector, SecurityEvent, Transaction
from tests.field.captured import Capture
from tests.field.charger import Charger, Ground
from tests.field.judge import (
    charge_point,
    commands,
    kept,
    nothing_failed,
    quarantined,
    refusals,
    sessions,
)
from tests.field.played import Played
from tests.field.right import RIGHT, Right, S

__all__ = ["after_a_lost_stop", "after_a_stop", "as_it_is"]


def as_it_is(ground: Ground, capture: Capture, identity: str = "") -> Played:
    """Play it, and hold the database against what is right."""
    played = Played.on(ground, capture, identity)
    right, charger = RIGHT[capture.name], played.charger
    refused = [(action, got[2]) for action, got in played.answers if got and got[0] == 4]
    assert refused == list(right.errors)
    assert [action for action, got in played.answers if got is None] == []
    assert [what for what in refusals(charger) if what not in right.errors] == []
    nothing_failed(charger)
    assert len(quarantined(charger)) == right.quarantined, quarantined(charger)
    found = sessions(charger)
    assert len(found) == len(right.sessions)
    for item, wanted in zip(found, right.sessions, strict=True):
        assert _seen(item, wanted) == _wanted(wanted)
    for item, wanted in zip(sessions(charger), right.sessions, strict=True):
        if wanted.power is not None:
            assert item.power is not None
            assert float(item.power) == wanted.power
    _samples(charger, capture, right)
    shown = Connector.objects.filter(charge_point__identity__iexact=charger.identity)
    statuses = dict(shown.values_list("number", "status"))
    assert {number: statuses.get(number) for number in right.connectors} == right.connectors
    row = charge_point(charger)
    assert {name: getattr(row, name) for name in right.charge_point} == right.charge_point
    told = [text for text in capture.said if head_of(text)[2] == "SecurityEventNotification"]
    events = SecurityEvent.objects.filter(charge_point__identity__iexact=charger.identity)
    # What Levity notices by itself depends on who else is there.
    assert events.exclude(type="ForeignTransaction").count() == len(told)
    for action, state in right.commands:
        assert [command.state for command in commands(charger, action)] == [state]
    return played


def after_a_stop(played: Played) -> None:
    """Every session that runs is stopped; its energy is that of its meter."""
    ground, charger, right = played.ground, played.charger, RIGHT[played.capture.name]
    for item, wanted in zip(sessions(charger), right.sessions, strict=True):
        if item.state != Transaction.State.ACTIVE:
            continue
        # What the samples said; 1800 Wh where they said nothing.
        charged = 1800 if wanted.energy is None else wanted.energy
        ground.wait(3600)
        charger.stop(item.pk, wanted.start + charged, ground.at(), reason="EVDisconnected")
        item.refresh_from_db()
        seen = (item.state, float(item.energy or 0), item.energy_source, item.confidence)
        assert seen == ("stopped", charged, "registers", "high"), item.flags
        assert wanted.flags is None or item.flags == wanted.flags
    nothing_failed(charger)


def after_a_lost_stop(played: Played, *, boots: bool) -> None:
    """The stop never comes: the charger boots and begins anew, or its connector stays free."""
    ground, charger, right = played.ground, played.charger, RIGHT[played.capture.name]
    running = [item for item in right.sessions if item.stop is None]
    if boots:
        charger.leave()
        ground.wait(1)
        charger.come_back()
        charger.boot()
    for item in running:
        charger.status("Finishing", item.connector)
        charger.status("Available", item.connector)
        if boots:
            again = ground.at()
            start = item.start + (item.energy or 0)
            charger.start(start, again, connector=item.connector, tag="NEXT")
    if not boots:
        ground.wait(2 * 3600)
    for item, wanted in zip(sessions(charger), right.sessions, strict=False):
        if wanted.stop is not None:
            assert _seen(item, wanted) == _wanted(wanted)
            continue
        assert (item.state, float(item.energy or 0)) == ("orphaned", wanted.energy or 0)
        assert item.energy_source == ("none" if wanted.energy is None else item.energy_source)
        if wanted.flags is not None:
            odd = set(item.flags.split()) - {"orphaned", "abandoned"} - set(wanted.flags.split())
            assert odd == set()
    assert len(sessions(charger)) == len(right.sessions) + (len(running) if boots else 0)
    nothing_failed(charger)


def _seen(item: Transaction, wanted: S) -> dict[str, Any]:
    """What is on the books, as far as it is judged."""
    return {
        "connector": item.connector,
        "tag": item.id_tag,
        "state": item.state,
        "start": float(item.meter_start),
        "energy": None if item.energy is None else float(item.energy),
        "stop": None if item.meter_stop is None else float(item.meter_stop),
        "flags": None if wanted.flags is None else item.flags,
        "confidence": item.confidence if wanted.stop is not None and wanted.confidence else "",
    }


def _wanted(item: S) -> dict[str, Any]:
    return {
        "connector": item.connector,
        "tag": item.tag,
        "state": "active" if item.stop is None else "stopped",
        "start": float(item.start),
        "energy": item.energy,
        "stop": item.stop,
        "flags": item.flags,
        "confidence": "" if item.stop is None else item.confidence,
    }


def _samples(charger: Charger, capture: Capture, right: Right) -> None:
    """Not one of them is lost."""
    in_frames = right.samples
    if in_frames is None:
        in_frames = sum(_in_frame(text) for text in capture.said)
    assert kept(charger) == in_frames
    assert kept(charger, transaction__isnull=True) == right.loose
    assert kept(charger, value__isnull=True) == right.wordless


def _in_frame(text: str) -> int:
    if head_of(text)[2] not in ("MeterValues", "StopTransaction"):
        return 0
    payload = json.loads(text)[3]
    values = payload.get("meterValue", payload.get("transactionData", []))
    return sum(len(value["sampledValue"]) for value in values)
