"""Why a charger may have said no: what its own keys say about a Call that it has refused.

Hints for people, never a decision. The keys are those of its last answers that told any.
"""

from collections.abc import Mapping
from typing import Any

from levity.ocpp.effects import ASK_FOR_BOOT, AUTOMATIC, LEARNED_INTERVAL
from levity.ocpp.models import ChargePoint, Command, Transaction
from levity.ocpp.versions import Version, version_of

__all__ = ["OF_NO_MATTER", "hint", "keys_of"]

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
    keys, has_all = keys_of(charge_point, version)
    hints = version.calls.hints(action, payload, status, keys, runs=runs, has_all=has_all)
    return " ".join(hints)


def keys_of(charge_point: int, version: Version) -> tuple[dict[str, tuple[str, bool]], bool]:
    """Key in lower case -> (value, it is read-only), as the charger said last; and whether it was
    asked for all of them."""
    answers = (
        Command.objects.filter(
            charge_point=charge_point,
            action=version.calls.tells_keys,
            state=Command.State.ANSWERED,
        )
        .order_by("-pk")
        .values_list("payload", "result")[:LOOKED_AT]
    )
    keys: dict[str, tuple[str, bool]] = {}
    has_all = False
    for asked, answer in answers:
        keys = {**version.calls.keys_in(answer), **keys}
        has_all = has_all or not asked
    return keys, has_all
