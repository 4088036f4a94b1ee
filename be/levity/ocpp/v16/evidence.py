"""What a charger says later that shows that it has done what a Call of ours asked for.

Its own answer may be lost: a charger that resets at once, a line that breaks in this moment. Pure
rules of OCPP 1.6, no I/O; `store/evidence.py` applies them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from levity.ocpp.rules.evidence import LONG, SOON
from levity.ocpp.wire.words import REASONS, STATUSES, UPLOADS, Words

__all__ = ["ASKED", "SAID", "SLOW", "confirmation"]

Payload = Mapping[str, Any]
Rule = Callable[[Payload, Payload], bool]
"""(payload of our Call, payload of the charger's Call) -> it shows that ours was carried out."""


def _word(said: Payload, words: Words, name: str = "status") -> str:
    word = said.get(name)
    return words.meant(word) if isinstance(word, str) else ""


def _always(asked: Payload, said: Payload) -> bool:
    return True


def _under_way(asked: Payload, said: Payload) -> bool:
    # Idle is what it says when nothing goes on, also when it is merely asked.
    return _word(said, UPLOADS) not in ("Idle", "")


def _at_its_connector(asked: Payload, said: Payload) -> bool:
    wanted = asked.get("connectorId")
    return wanted is None or wanted == said.get("connectorId")


def _triggered(asked: Payload, said: Payload) -> bool:
    return _at_its_connector(asked, said)


def _by_reset(asked: Payload, said: Payload) -> bool:
    return _word(said, REASONS, "reason") == f"{asked.get('type')}Reset"


def _same_tag(asked: Payload, said: Payload) -> bool:
    one, other = str(asked.get("idTag", "")), str(said.get("idTag", ""))
    return one.lower() == other.lower() and _at_its_connector(asked, said)


def _same_transaction(asked: Payload, said: Payload) -> bool:
    return asked.get("transactionId") == said.get("transactionId")


def _available(asked: Payload, said: Payload) -> bool:
    wanted = asked.get("connectorId")
    if wanted not in (0, said.get("connectorId")):
        return False
    status = _word(said, STATUSES)
    is_out = status == "Unavailable"
    if asked.get("type") == "Inoperative":
        return is_out
    return not is_out and status not in ("Faulted", "")


def _reserved(asked: Payload, said: Payload) -> bool:
    return _word(said, STATUSES) == "Reserved" and _at_its_connector(asked, said)


def _of_reservation(asked: Payload, said: Payload) -> bool:
    return asked.get("reservationId") == said.get("reservationId")


def _unlocked(asked: Payload, said: Payload) -> bool:
    return _word(said, REASONS, "reason") == "UnlockCommand"


# Our Call -> (the charger's Call, the rule, for how long it may come after ours).
_RULES: Mapping[str, tuple[tuple[str, Rule, timedelta], ...]] = {
    "ChangeAvailability": (("StatusNotification", _available, SOON),),
    "GetDiagnostics": (("DiagnosticsStatusNotification", _under_way, LONG),),
    "GetLog": (("LogStatusNotification", _under_way, LONG),),
    "RemoteStartTransaction": (("StartTransaction", _same_tag, SOON),),
    "RemoteStopTransaction": (("StopTransaction", _same_transaction, SOON),),
    "ReserveNow": (
        ("StatusNotification", _reserved, SOON),
        ("StartTransaction", _of_reservation, LONG),
    ),
    "Reset": (
        ("BootNotification", _always, SOON),
        ("StopTransaction", _by_reset, SOON),
    ),
    "SignedUpdateFirmware": (("SignedFirmwareStatusNotification", _under_way, LONG),),
    "UnlockConnector": (("StopTransaction", _unlocked, SOON),),
    "UpdateFirmware": (("FirmwareStatusNotification", _under_way, LONG),),
}
# What a trigger asks for -> what comes, where it is not called the same.
_TRIGGERED: Mapping[str, str] = {"SignChargePointCertificate": "SignCertificate"}
_TRIGGERS = ("TriggerMessage", "ExtendedTriggerMessage")
ASKED = frozenset({*_RULES, *_TRIGGERS})
"""The Calls of ours that something later may show the fate of."""
SLOW = frozenset(
    action for action, rules in _RULES.items() if any(wait == LONG for _, _, wait in rules)
)
SAID = frozenset(
    {said for rules in _RULES.values() for said, _, _ in rules}
    | {"Heartbeat", "MeterValues", "SignCertificate"}
)
"""The Calls of chargers that may show it."""


def confirmation(
    action: str, asked: Payload, sent_at: datetime, said: str, payload: Payload, at: datetime
) -> str:
    """By what the charger's Call `said` shows that ours was carried out, for people; empty if it
    does not."""
    if not sent_at <= at:
        return ""
    for expected, rule, wait in _rules_of(action, asked):
        if expected == said and at - sent_at <= wait and rule(asked, payload):
            status = payload.get("status") or payload.get("reason") or ""
            return f"{said} {str(status)[:40]}".strip() + f" at {at:%Y-%m-%d %H:%M:%S} UTC"
    return ""


def _rules_of(action: str, asked: Payload) -> tuple[tuple[str, Rule, timedelta], ...]:
    if action not in _TRIGGERS:
        return _RULES.get(action, ())
    wanted = asked.get("requestedMessage")
    return ((_TRIGGERED.get(str(wanted), str(wanted)), _triggered, SOON),)
