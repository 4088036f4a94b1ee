"""What a session came to by itself, kept beside what it comes to with its neighbours.

The chain is settled again whenever a neighbour changes, each time from the sessions' own figures,
so that nothing is corrected twice. They are kept as JSON in `Transaction.checks`.
"""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.checks import Check, as_json, of_json
from levity_ws.frozen import frozen

__all__ = ["Own", "checks_of", "own_of", "written"]


@frozen
class Own:
    """The figures of a session that was judged alone."""

    wh: Decimal | None
    source: str
    confidence: str
    meter_stop: Decimal | None
    """Wh that the register showed at its end, by its Stop or by its last sample."""


def own_of(session: RecordedSession) -> Own:
    """What it came to by itself; of one that was never settled, or whose text is damaged, what is
    recorded of it."""
    told = _content(session.checks).get("own")
    if isinstance(told, list) and len(told) == 4:
        wh, source, confidence, meter_stop = told
        if isinstance(source, str) and isinstance(confidence, str):
            with suppress(ArithmeticError, TypeError, ValueError):
                return Own(_number(wh), source, confidence, _number(meter_stop))
    return Own(session.energy, session.energy_source, session.confidence, session.meter_stop)


def checks_of(text: str) -> tuple[Check, ...]:
    """What it was held against when it was judged alone."""
    return of_json(_content(text).get("checks"))


def written(own: Own, checks: tuple[Check, ...] = ()) -> str:
    """The text for `Transaction.checks`."""
    wh, meter_stop = _text(own.wh), _text(own.meter_stop)
    content: dict[str, Any] = {"own": [wh, own.source, own.confidence, meter_stop]}
    if checks:
        content["checks"] = as_json(checks)
    return orjson.dumps(content).decode()


def _content(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(text: str | None) -> Decimal | None:
    if text is None:
        return None
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)
