"""I-06: each of the 14 messages, each field of it, wrong in each of seven ways."""

import json
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from levity.ocpp.models import FailedMessage, Message, QuarantinedMessage, Transaction
from levity.ocpp.v16.schemas import SCHEMAS
from tests.ocpp.charger import CentralSystem, Charger
from tests.promises.messages import ALWAYS_A_RESULT, MESSAGES, Mutation, mutations, usual

pytestmark = pytest.mark.django_db

SEVEN = {"missing", "null", "wrong type", "too long", "bad enum", "extra key", "empty"}


def whole(action: str, site: CentralSystem, charger: Charger, number: int) -> dict[str, Any]:
    """The usual message; one that names a transaction names one that runs."""
    payload = usual(action)
    if action in ("StopTransaction", "MeterValues"):
        # (No Wh but those that can have flowed at once, and in reach of no other session.)
        begun = number * 100_000
        payload["transactionId"] = site.start(charger, meterStart=begun)
        if action == "StopTransaction":
            payload["meterStop"] = begun + 500
    if action == "StartTransaction":
        payload["meterStart"] = number
    return payload


def became(
    action: str, site: CentralSystem, charger: Charger, mutation: Mutation
) -> dict[str, Any]:
    """What the mutated message led to, in the words of `wanted`."""
    answer = site.answer(charger.says(json.dumps([2, str(uuid4()), action, mutation.payload])))
    row = Message.objects.order_by("-id").values("error_code", "error_description").first()
    kept = QuarantinedMessage.objects.order_by("-id").first()
    assert row is not None
    assert "Traceback" not in str(answer)
    return {
        "kind": answer[0],
        "code": answer[2] if answer[0] == 4 else "",
        "valid": answer[0] == 4 or SCHEMAS.finding(f"{action}Response", answer[2]) is None,
        "stored": row["error_code"],
        "found": row["error_description"],
        "quarantined": kept.reason if kept else "",
    }


def is_taken(action: str, mutation: Mutation) -> bool:
    """True if the field has shown that this is no reason to refuse the message.

    A Vestel EVC04 leaves every 25 s after a CALLERROR to its MeterValues, and the good samples
    beside an odd one would be lost; statuses come without an errorCode, and the boot of a make
    that names itself by half is still the only way in. A start counts from its first sample where
    it tells no meter, and what has no time has ours; it is a session of an unknown payer where it
    tells no id tag, and on the charger's only connector where it tells none. A Heartbeat tells
    nothing in any form.
    """
    if action == "Heartbeat":
        return True
    if action == "MeterValues":
        return isinstance(mutation.payload, dict)
    is_absent = mutation.kind in ("missing", "null") or mutation.payload == {}
    if action == "StartTransaction" and mutation.path == ("meterStart",):
        return is_absent or mutation.kind == "no number"
    if action == "StartTransaction" and mutation.path in (("idTag",), ("connectorId",)):
        return is_absent or mutation.kind in ("wrong type", "no number")
    absent = {
        "BootNotification": {("chargePointVendor",), ("chargePointModel",), ()},
        "SecurityEventNotification": {("timestamp",)},
        "StartTransaction": {("timestamp",), ()},
        "StatusNotification": {("errorCode",)},
        "StopTransaction": {("timestamp",)},
    }
    return is_absent and mutation.path in absent.get(action, ())


def wanted(action: str, mutation: Mutation, found: dict[str, Any]) -> dict[str, Any]:
    """What it should have led to."""
    always = action in ALWAYS_A_RESULT
    hard = "" if is_taken(action, mutation) else mutation.code
    is_odd = bool(mutation.code or mutation.rule)
    field = next((str(step) for step in reversed(mutation.path) if isinstance(step, str)), "")
    named = is_odd and field in found["found"] and mutation.rule in found["found"]
    return {
        "kind": 4 if hard and not always else 3,
        "code": "" if always else hard,
        "valid": True,
        "stored": "" if always else hard,
        # A finding names the field and the rule; where nothing is wrong, there is none.
        "found": found["found"] if named else "(the field and the rule)" if is_odd else "",
        "quarantined": f"{hard}: {found['found']}" if hard and always else "",
    }


@pytest.mark.parametrize("action", MESSAGES)
def test_every_field_wrong_in_every_way_is_answered_as_it_should_be(action: str) -> None:
    """I-06: the code that fits, or the answer and a finding; Start and Stop never a CALLERROR."""
    site, charger = CentralSystem(), Charger()
    count = sum(1 for _ in mutations(action, usual(action)))
    wrong = {}
    for number in range(count):
        before = whole(action, site, charger, 1000 + number)
        mutation = list(mutations(action, before))[number]
        QuarantinedMessage.objects.all().delete()
        found = became(action, site, charger, mutation)
        # Which transaction can be meant is another question (D-08, D-15).
        if found["quarantined"] == "no such transaction" and "transactionId" in mutation.path:
            found["quarantined"] = ""
        if found != (right := wanted(action, mutation, found)):
            differs = {key: (found[key], right[key]) for key in right if found[key] != right[key]}
            wrong[mutation.name, str(mutation.payload)[:200]] = differs
    assert not wrong, "\n".join(f"{name}: {differs}" for name, differs in wrong.items())
    assert FailedMessage.objects.count() == 0


def test_all_seven_ways_are_tried_on_all_messages() -> None:
    """I-06: so that none is left out by an oversight in the generator."""
    tried = {
        action: Counter(m.kind for m in mutations(action, usual(action))) for action in MESSAGES
    }
    # Heartbeat has no field that could be missing, null, too long or an unknown word.
    lacking = {action: SEVEN - set(kinds) for action, kinds in tried.items() if SEVEN - set(kinds)}
    assert lacking == {
        "Authorize": {"bad enum"},
        "BootNotification": {"bad enum"},
        "DataTransfer": {"bad enum"},
        "Heartbeat": {"missing", "null", "too long", "bad enum"},
        "SecurityEventNotification": {"bad enum"},
        "SignCertificate": {"bad enum"},
        "StartTransaction": {"bad enum"},
    }
    assert sum(sum(kinds.values()) for kinds in tried.values()) > 500


def test_a_soft_fault_loses_nothing() -> None:
    """The session is on the books as if it had been said rightly."""
    site, charger = CentralSystem(), Charger()
    transaction_id = site.start(charger, connectorId="1", meterStart="1000", extraKey=[], idTag=77)
    site.result(charger.stops(str(transaction_id), meterStop="6000", reason="Boredom"))
    row = Transaction.objects.values("state", "energy", "id_tag", "stop_reason").get()
    assert row == {"state": "stopped", "energy": 5000, "id_tag": "77", "stop_reason": "Boredom"}
