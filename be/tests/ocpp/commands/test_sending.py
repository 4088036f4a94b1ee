"""Whoever asks for a Call comes through `lifecycle.queue`, and what is none is refused there."""

import ast
from pathlib import Path
from typing import Any

import pytest

import levity
from levity.ocpp.commands import BadCall, NeverSent
from levity.ocpp.commands.sending import cancel_commands, send, send_to_many
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import AuditEntry, ChargePoint, Command
from tests.ocpp.decisions.people import audit_of, chief

WRONG = [
    ("Nonsense", {}, BadCall, "'Nonsense' is not a command of OCPP 1.6"),
    ("Reset", {"type": "Sideways"}, BadCall, "Reset: type must be Hard or Soft"),
    (
        "ChangeConfiguration",
        {"key": "SecurityProfile", "value": "1"},
        NeverSent,
        "security profile of this charge point is 2",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("action", "payload", "error", "why"), WRONG)
def test_what_is_no_call_is_refused_and_leaves_nothing(
    action: str, payload: Any, error: type[NotPossible], why: str
) -> None:
    row = ChargePoint.objects.create(identity="CP1", security_profile=2)
    ChargePoint.objects.create(identity="CP0")
    with pytest.raises(error, match=why):
        send(row, action, payload, None, source="test")
    with pytest.raises(error, match=why):
        send_to_many(ChargePoint.objects.all(), action, payload, None, source="test")
    assert not Command.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_a_key_makes_two_clicks_one_command_and_the_payload_stays_out_of_the_audit() -> None:
    row, who = ChargePoint.objects.create(identity="CP1"), chief()
    payload = {"key": "AuthorizationKey", "value": "0123456789abcdef0123456789abcdef"}
    first, second = (
        send(row, "ChangeConfiguration", payload, who, source="test", idempotency_key="1")
        for _ in range(2)
    )
    assert (first.command, first.is_new, second.is_new) == (second.command, True, False)
    assert first.command.requested_by == who
    assert audit_of(first.command) == [("chief", "ChangeConfiguration for CP1")]
    assert "0123456789" not in str(list(AuditEntry.objects.values_list()))


@pytest.mark.django_db
def test_what_was_sent_already_is_not_cancelled_and_that_is_said() -> None:
    row = ChargePoint.objects.create(identity="CP1")
    sent = Command.objects.create(charge_point=row, action="Reset", state="sent")
    waits = Command.objects.create(charge_point=row, action="Reset")
    decided = cancel_commands(Command.objects.all(), None)
    assert (decided.count, [(left.count, left.why) for left in decided.left]) == (
        1,
        [(1, "already sent, or ended")],
    )
    assert (audit_of(sent), audit_of(waits)) == ([], [("", "cancelled")])


def test_no_one_makes_a_command_but_the_queue() -> None:
    """`Command.objects.create` and the like are in the queue (one Call for many, or one for each)
    and in the store, for what middleware asks for, which checks it in the same words."""
    root = Path(levity.__file__).parent
    makers = set()
    for path in root.rglob("*.py"):
        text = path.read_text()
        if "Command" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            first = ast.unparse(node.args[0]) if node.args else ""
            makes = called.startswith("Command.objects.") and called.endswith("create")
            if makes or (called == "insert_rows" and first == "Command"):
                makers.add(path.relative_to(root).as_posix())
    assert makers == {
        *("ocpp/commands/each.py", "ocpp/commands/queueing.py", "ocpp/store/calls.py")
    }
