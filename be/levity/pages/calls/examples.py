"""A valid payload for each action, with the charger's own connectors, sessions and id tags."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from levity.ocpp.call_forms import CallForm, Field, Kind
from levity.ocpp.versions import version_of
from levity.ocpp.wire.fields import wire_time
from levity.pages.calls.facts import Facts
from levity.pages.calls.places import put

__all__ = ["example", "examples"]


def examples(facts: Facts) -> dict[str, dict[str, Any]]:
    """Action -> an example of its payload."""
    spoken = facts.charge_point.subprotocol if facts.charge_point else ""
    found: dict[str, dict[str, Any]] = {}
    for described in version_of(spoken).calls.forms:
        found.setdefault(described.action, example(described, facts))
    return found


def example(described: CallForm, facts: Facts) -> dict[str, Any]:
    """What is required, and what has an example; without what brings more of the payload."""
    payload: dict[str, Any] = dict(described.fixed or {})
    left_out = described.fixed_with or {}
    fields = tuple(item for item in described.fields if item.at not in left_out)
    _fill(payload, fields, facts)
    return payload


def _fill(payload: dict[str, Any], fields: tuple[Field, ...], facts: Facts) -> None:
    for item in fields:
        value = _value(item, facts)
        if value is not None and (item.required or item.example is not None or item.fields):
            put(payload, item.at, value)


def _value(item: Field, facts: Facts) -> Any:
    if item.kind == Kind.CONNECTOR and not item.whole:
        return facts.connectors[0][0]
    if item.kind == Kind.SESSION:
        return _session(facts) if item.required else None
    if item.kind == Kind.TAG and facts.tags:
        return facts.tags[0][0][: item.longest]
    if item.kind == Kind.MOMENT:
        now = timezone.now().replace(second=0, microsecond=0)
        return wire_time(now + timedelta(minutes=item.default or 0))
    if item.kind == Kind.ROWS:
        row: dict[str, Any] = {}
        _fill(row, item.fields, facts)
        return [row]
    value = item.default if item.example is None else item.example
    return list(value) if isinstance(value, tuple) else value


def _session(facts: Facts) -> Any:
    return facts.told_sessions[0] if facts.told_sessions else 1
