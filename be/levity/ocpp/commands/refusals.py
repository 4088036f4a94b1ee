"""Why a charger may have said no: what its own keys say about a Call that it has refused.

Hints for people, never a decision. The keys are those of its last answers that told any.
"""

from collections.abc import Mapping
from typing import Any

from levity.ocpp.effects import ASK_FOR_BOOT, AUTOMATIC, LEARNED_INTERVAL
from levity.ocpp.models import ChargePoint, Command, Transaction
from levity.ocpp.versions import Version, version_of

__all__ = ["OF_NO_MATTER", "hint"]

OF_NO_MATTER = frozenset({ASK_FOR_BOOT, AUTOMATIC, LEARNED_INTERVAL})
"""The sources of Calls that nobody asked for: a charger may well say no to them."""
LOOKED_AT = 10
"""Answers with keys that are read; each may be about some keys only."""


def hint(charge_point: int, action: str, payload: Any, status: str) -> str:
    """What may be the reason why this was not done, one or two sentences; empty: no idea."""
    if not isinstance(payload, Mapping):
        return ""
    spoken = ChargePoint.objects.filter(pk=charge_point).values_list("subprotocol", flat=True)
    version = version_of(spoken.first() or "")
    runs = Transaction.objects.filter(
        charge_point=charge_point, state=Transaction.State.ACTIVE
    ).exists()
    keys = _keys_of(charge_point, version)
    return " ".join(version.calls.hints(action, payload, status, keys, runs=runs))


def _keys_of(charge_point: int, version: Version) -> dict[str, tuple[str, bool]]:
    """Key in lower case -> (value, it is read-only), as the charger said last."""
    answers = (
        Command.objects.filter(
            charge_point=charge_point,
            action=version.calls.tells_keys,
            state=Command.State.ANSWERED,
        )
        .order_by("-pk")
        .values_list("result", flat=True)[:LOOKED_AT]
    )
    keys: dict[str, tuple[str, bool]] = {}
    for answer in answers:
        keys = {**version.calls.keys_in(answer), **keys}
    return keys
