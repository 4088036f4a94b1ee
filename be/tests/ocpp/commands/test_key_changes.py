"""Keys at rest, and keys that are changed over OCPP: S-06, S-07, S-08, S-11, S-15."""

import io
import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.utils import timezone

from levity.ocpp.chargers.security import keys
from levity.ocpp.chargers.security.concealment import Unreadable, reveal
from levity.ocpp.commands import lifecycle
from levity.ocpp.commands.lifecycle import NeverSent, give_up, queue
from levity.ocpp.effects import SendCall
from levity.ocpp.models import ChargePoint, Command, Credential, Message
from levity.ocpp.versions import V16
from levity.ocpp.worker.tidying import tidy
from tests.ocpp.charger import Charger
from tests.ocpp.keyed_lines import Line
from tests.ocpp.keyring import KEY, asks, basic, charge_point, status

pytestmark = pytest.mark.django_db

NEW = "f" * 38 + "0e"


def everything() -> str:
    """All rows of all tables of the database, as text."""
    return "".join(serialize("json", model._default_manager.all()) for model in apps.get_models())


def change_key(line: Line, key: str = NEW) -> tuple[Command, str]:
    """Send this key to the charger; the command, and the frame that went out."""
    command = queue(
        line.row, "ChangeConfiguration", {"key": "AuthorizationKey", "value": key}, source="test"
    )
    (frame,) = line.sent()
    return command, frame


def opens(line: Line, key: str) -> bool:
    return status(asks(line.site, remote="192.0.2.77", authorization=basic(password=key))) == 101


def test_a_generated_key_has_20_random_bytes() -> None:
    """S-07: as 40 hexadecimal digits, what ChangeConfiguration AuthorizationKey wants."""
    some = {keys.new_key() for _ in range(1000)}
    assert len(some) == 1000
    assert all(re.fullmatch("[0-9a-f]{40}", key) for key in some)


def test_a_key_at_rest_is_salted_and_hashed() -> None:
    """S-06: the same key twice looks different; it matches itself and nothing else."""
    one, two = keys.digest_of(KEY.encode()), keys.digest_of(KEY.encode())
    assert one != two
    assert keys.matches(KEY.encode(), one)
    assert keys.matches(bytes.fromhex(KEY), two)
    assert not keys.matches(NEW.encode(), one)
    assert not keys.matches(b"", "")
    assert KEY not in one


@pytest.mark.parametrize("key", ["short", "ff" * 15, "fifteen bytes .", ""])
def test_a_key_of_less_than_16_bytes_is_never_sent(line: Line, key: str) -> None:
    """S-07."""
    with pytest.raises(NeverSent, match="at least 16 bytes"):
        change_key(line, key)
    assert not Command.objects.exists()


ROUNDS = range(20)


@pytest.mark.parametrize("number", ROUNDS)
def test_accepted_kills_the_old_key(line: Line, number: int) -> None:
    """S-08."""
    key = keys.new_key()
    command, _ = change_key(line, key)
    line.site.take(line.charger.answers(command.unique_id, {"status": "Accepted"}))
    assert (opens(line, KEY), opens(line, key)) == (False, True)


@pytest.mark.parametrize("number", ROUNDS)
def test_rejected_leaves_the_old_key_alive(line: Line, number: int) -> None:
    """S-08: and the new one opens nothing."""
    key = keys.new_key()
    command, _ = change_key(line, key)
    answer = (
        line.charger.answers(
            command.unique_id, {"status": ("Rejected", "NotSupported")[number % 2]}
        )
        if number % 3
        else line.charger.refuses(command.unique_id, "InternalError")
    )
    line.site.take(answer)
    assert (opens(line, KEY), opens(line, key)) == (True, False)


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("how", ["no answer", "connection lost", "half an answer"])
def test_a_lost_answer_leaves_both_alive_until_the_new_one_is_used(
    line: Line, how: str, number: int
) -> None:
    """S-08: the charger may have taken it, or not; the first use of the new one says which."""
    key = keys.new_key()
    command, _ = change_key(line, key)
    if how == "no answer":
        give_up(timezone.now() + timedelta(hours=1))
    elif how == "connection lost":
        line.site.take(line.charger.leaves())
    else:
        line.site.take(line.charger.says(f'[3,"{command.unique_id}",{{"stat'))
    command.refresh_from_db()
    assert command.state in ("timed_out", "refused")
    assert opens(line, KEY)
    assert opens(line, KEY)
    assert opens(line, key)
    assert (opens(line, KEY), opens(line, key)) == (False, True)


def test_a_key_that_counts_after_a_restart_is_taken_at_its_first_use(line: Line) -> None:
    """RebootRequired: until then the charger comes with the old one."""
    command, _ = change_key(line)
    line.site.take(line.charger.answers(command.unique_id, {"status": "RebootRequired"}))
    assert opens(line, KEY)
    assert opens(line, NEW)
    assert not opens(line, KEY)


def test_a_key_that_was_never_sent_opens_nothing(line: Line) -> None:
    """S-08: only what left can be in the charger."""
    line.site.take(line.charger.leaves())
    queue(line.row, "ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW}, source="test")
    assert line.sent() == []
    assert (opens(line, KEY), opens(line, NEW)) == (True, False)


def test_a_key_reaches_the_charger_and_stands_nowhere_else(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """S-06: not in a table, not in a log; the frame alone has it."""
    caplog.set_level(logging.DEBUG)
    command, frame = change_key(line)
    assert json.loads(frame)[3] == {"key": "AuthorizationKey", "value": NEW}
    books = everything()
    assert NEW not in books
    assert '"value": "***"' in json.dumps(Command.objects.get().payload)
    assert json.loads(Message.objects.get(sender="cs").request)[3]["value"] == "***"
    line.site.take(line.charger.answers(command.unique_id, {"status": "Accepted"}))
    assert Command.objects.get().secret == ""
    asks(line.site, authorization=basic(password=NEW))
    asks(line.site, authorization=basic(password=f"{NEW} "))
    assert NEW not in everything()
    assert KEY not in everything()
    assert NEW not in caplog.text
    assert basic(password=NEW).partition(" ")[2] not in everything() + caplog.text


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("GetDiagnostics", {"location": "ftp://me:s3cret@files.example.com/up"}),
        (
            "UpdateFirmware",
            {
                "location": "https://me:s3cret@files.example.com/fw.bin",
                "retrieveDate": "2026-11-22T12:00:00Z",
            },
        ),
        (
            "GetLog",
            {
                "logType": "SecurityLog",
                "requestId": 1,
                "log": {"remoteLocation": "sftp://me:s3cret@files.example.com/"},
            },
        ),
        ("ChangeConfiguration", {"key": "WifiPassword", "value": "s3cret"}),
        ("DataTransfer", {"vendorId": "V", "data": '{"password":"s3cret"}'}),
    ],
)
def test_logins_in_commands_are_sent_and_masked(
    line: Line, action: str, payload: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """S-15: whole to the charger on the connection that it has now, masked everywhere else."""
    caplog.set_level(logging.DEBUG)
    queue(line.row, action, payload, source="test")
    (frame,) = line.sent()
    assert json.loads(frame)[2:] == [action, payload]
    assert "s3cret" not in everything()
    assert "s3cret" not in caplog.text
    out = io.StringIO()
    call_command("export_messages", "CP1", stdout=out)
    assert "s3cret" not in out.getvalue()


def test_a_secret_that_a_middleware_sends_is_masked_too(line: Line) -> None:
    """S-06: every way into the queue is one way."""
    from levity.ocpp.store.calls import queue_commands
    from levity.ocpp.store.values import Arrival, Outcome
    from tests.ocpp.charger import NOW
    from tests.ocpp.states import charge_point as state

    effect = SendCall("ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW})
    outcome = Outcome(Arrival(line.charger.boots(), NOW), state(id=line.row.pk), effects=(effect,))
    queue_commands([outcome])
    assert NEW not in everything()
    (frame,) = line.sent()
    assert json.loads(frame)[3]["value"] == NEW
    assert opens(line, NEW)


def test_a_call_that_comes_back_is_sent_again_whole(line: Line) -> None:
    """The edge is gone: the secret has not been thrown away."""
    line.is_open = False
    queue(line.row, "ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW}, source="test")
    assert line.sent() == []
    line.is_open = True
    (frame,) = line.sent(timezone.now() + timedelta(seconds=5))
    assert NEW in frame


@pytest.mark.parametrize(
    "end",
    [
        lambda line: lifecycle.cancel(Command.objects.all()),
        lambda line: give_up(timezone.now() + timedelta(days=1)),
    ],
)
def test_the_secret_of_a_command_that_has_ended_is_forgotten(
    line: Line, end: Callable[[Line], Any]
) -> None:
    """S-06: by the housekeeping, however it ended."""
    line.site.take(line.charger.leaves())
    queue(line.row, "ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW}, source="test")
    tidy(timezone.now())
    assert Command.objects.get().secret
    end(line)
    tidy(timezone.now())
    assert Command.objects.get().secret == ""


def test_a_changed_secret_key_fails_the_command_and_says_so(line: Line, settings: Any) -> None:
    """Nothing half is sent."""
    queue(line.row, "ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW}, source="test")
    settings.SECRET_KEY = "another one, long enough for everybody here"
    assert line.sent() == []
    command = Command.objects.get()
    assert (command.state, command.error_description) == (
        "failed",
        "SECRET_KEY has changed since the command was queued: queue it again",
    )


def test_a_key_on_its_way_survives_a_new_secret_key(settings: Any) -> None:
    """While the one before it is a fallback."""
    _, secret = V16.calls.conceal("ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW})
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-one-" * 5
    assert reveal(secret)["value"] == NEW
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(Unreadable):
        reveal(secret)


def test_what_is_no_secret_is_not_encrypted() -> None:
    """The usual command costs nothing more."""
    payload = {"key": "HeartbeatInterval", "value": "300"}
    assert V16.calls.conceal("ChangeConfiguration", payload) == (payload, "")
    assert V16.calls.conceal("Reset", {"type": "Soft"}) == ({"type": "Soft"}, "")
    shown, secret = V16.calls.conceal(
        "ChangeConfiguration", {"key": "AuthorizationKey", "value": NEW}
    )
    assert shown == {"key": "AuthorizationKey", "value": "***"}
    assert reveal(secret)["value"] == NEW


def test_a_password_that_a_charger_tells_is_not_kept(line: Line) -> None:
    """S-06: Grizzl-E Smart Connect (GWM-07.020) answers GetConfiguration with its password."""
    command = queue(line.row, "GetConfiguration", {}, source="test")
    line.sent()
    told = {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": KEY}]}
    line.site.take(line.charger.answers(command.unique_id, told))
    assert KEY not in everything()
    assert Command.objects.get().result["configurationKey"][0]["value"] == "***"


@pytest.mark.parametrize("where", ["description", "details", "result", "half"])
def test_a_secret_that_the_charger_says_back_is_masked(line: Line, where: str) -> None:
    """S-06, S-15: in whatever it answers, also where that can't be read."""
    command, _ = change_key(line)
    one = command.unique_id
    frame = {
        "description": f'[4,"{one}","GenericError","can not set {NEW}",{{}}]',
        "details": f'[4,"{one}","GenericError","",{{"said":"{NEW}"}}]',
        "result": f'[3,"{one}",{{"status":"Rejected","reason":"{NEW} is no key"}}]',
        "half": f'[3,"{one}",{{"status":"{NEW}',
    }[where]
    line.site.take(line.charger.says(frame))
    assert NEW not in everything()
    assert Command.objects.get().secret == ""
    assert "***" in Message.objects.get(sender="cs").response


@pytest.mark.parametrize("value", ["0", " 1 ", "00", "-1", "4", "two", ""])
@pytest.mark.parametrize("key", ["SecurityProfile", "securityprofile"])
def test_no_message_lowers_the_profile(line: Line, key: str, value: str) -> None:
    """S-11: refused before it is queued, whoever asks; and on the command line with a reason."""
    ChargePoint.objects.update(security_profile=2)
    line.row.refresh_from_db()
    payload = {"key": key, "value": value}
    with pytest.raises(NeverSent):
        queue(line.row, "ChangeConfiguration", payload, source="test")
    with pytest.raises(CommandError, match="never sent"):
        call_command("send_command", "CP1", "ChangeConfiguration", json.dumps(payload))
    assert not Command.objects.exists()
    assert line.sent() == []


def test_what_a_middleware_asks_for_is_stopped_at_the_last_moment(line: Line) -> None:
    """S-11: and so is what was queued before the profile was raised."""
    Command.objects.create(
        charge_point=line.row,
        action="ChangeConfiguration",
        payload={"key": "SecurityProfile", "value": "0"},
    )
    assert line.sent() == []
    command = Command.objects.get()
    assert command.state == "failed"
    assert command.error_description.startswith("never sent: the security profile")


def test_a_profile_is_raised_when_the_charger_first_comes_with_it(line: Line) -> None:
    """TC_083: accepted over OCPP; both are taken until then, and only the higher one after it."""
    command = queue(
        line.row, "ChangeConfiguration", {"key": "SecurityProfile", "value": "2"}, source="test"
    )
    line.sent()
    line.site.take(line.charger.answers(command.unique_id, {"status": "Accepted"}))
    assert ChargePoint.objects.get().security_profile == 1
    assert status(asks(line.site, authorization=basic())) == 101
    assert status(asks(line.site, authorization=basic(), secure=True)) == 101
    assert ChargePoint.objects.get().security_profile == 2
    assert Credential.objects.get().next_profile is None
    assert status(asks(line.site, authorization=basic())) == 401


def test_a_rejected_profile_changes_nothing(line: Line) -> None:
    """TC_083 the other way round."""
    command = queue(
        line.row, "ChangeConfiguration", {"key": "SecurityProfile", "value": "2"}, source="test"
    )
    line.sent()
    line.site.take(line.charger.answers(command.unique_id, {"status": "Rejected"}))
    assert status(asks(line.site, authorization=basic(), secure=True)) == 101
    assert ChargePoint.objects.get().security_profile == 1


def test_the_key_change_of_one_charger_is_not_another_one_s(line: Line) -> None:
    """S-08: an answer counts for the charger that was asked."""
    charge_point("CP2")
    command, _ = change_key(line)
    other = Charger("CP2")
    line.site.take(other.asks(authorization=basic("CP2")), other.connects())
    line.site.take(other.answers(command.unique_id, {"status": "Accepted"}))
    assert opens(line, KEY)
    assert Credential.objects.get(charge_point__identity="CP2").next_digest == ""
