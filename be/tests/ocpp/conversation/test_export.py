"""What is exported is what was said: every transcript comes out of the database as it went in."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.conversation.export import conversation
from levity.ocpp.conversation.lines import CENTRAL_SYSTEM, Line, read_lines
from levity.ocpp.models import ChargePoint, Message
from tests.conversations.stage import Stage
from tests.conversations.test_transcripts import (
    CONVERSATIONS,
    TRANSCRIPTS,
    expected_of,
    named,
    play,
    read,
)

pytestmark = pytest.mark.django_db
GRIZZL_E = TRANSCRIPTS / "grizzl-e" / "05.633-session.jsonl"


def played(path: Path) -> tuple[Stage, ChargePoint, list[Line]]:
    """A conversation that is in the database now."""
    lines = read(path)
    stage, _ = play(lines, expected_of(path).get("given", {}))
    return stage, ChargePoint.objects.get(identity=stage.identity), lines


def exported(identity: str, *options: str) -> list[Line]:
    """What `levity export_messages` prints."""
    out = StringIO()
    call_command("export_messages", identity, *options, stdout=out)
    return list(read_lines(out.getvalue().splitlines()))


@pytest.mark.parametrize("path", CONVERSATIONS, ids=named)
def test_a_conversation_comes_out_as_it_went_in(path: Path) -> None:
    """Frames letter by letter, in the order of the wire, connections with their events."""
    stage, charge_point, lines = played(path)
    found = [
        replace(line, text=stage.recorded(line.text), number=number)
        for number, line in enumerate(conversation(charge_point), 1)
    ]
    assert [alike(line) for line in found] == [alike(line) for line in lines]


def alike(line: Line) -> Line:
    """Postgres keeps the payload of a command in an order of its own; an Origin is not kept."""
    line = replace(line, origin="")
    if line.sender != CENTRAL_SYSTEM:
        return line
    return replace(line, text=json.dumps(json.loads(line.text), sort_keys=True))


def test_a_piece_of_it_is_chosen_by_time_and_by_connection() -> None:
    """`--until` is excluded, so that two pieces are the whole."""
    _, charge_point, lines = played(TRANSCRIPTS / "any" / "two-sockets.jsonl")
    middle = lines[len(lines) // 2].at
    whole = exported(charge_point.identity)
    first = exported(charge_point.identity, "--until", middle.isoformat())
    second = exported(charge_point.identity, "--since", middle.isoformat())
    assert [line.at for line in first + second] == [line.at for line in whole]
    assert len(first) > 0 < len(second)
    one = exported(charge_point.identity, "--connection", str(UUID(int=1)))
    assert [line.text for line in one] == [line.text for line in whole if line.connection == 1]


def test_an_anonymised_conversation_names_nobody() -> None:
    """The serial number, in the message ids too, and the tag; the rest is as it was."""
    _, charge_point, lines = played(GRIZZL_E)
    text = "".join(f"{line}" for line in exported(charge_point.identity, "--anonymise"))
    assert "184000271" not in text
    plain = exported(charge_point.identity)
    hidden = exported(charge_point.identity, "--anonymise")
    assert [len(line.text) for line in hidden] == [len(line.text) for line in plain]
    assert len(plain) == len(lines)
    boot = json.loads(hidden[1].text)
    # As captured: the message ids begin with the serial number without its GRS-.
    assert boot[3]["chargePointSerialNumber"] == hidden[0].identity
    assert boot[1][:9] == hidden[0].identity[4:]
    assert boot[3]["firmwareVersion"] == "05.633:GCW-10.17-05.7:7452:F3D2"


def test_secrets_are_masked_without_being_asked() -> None:
    """A password in an answer that the database has in clear."""
    _, charge_point, _ = played(GRIZZL_E)
    Message.objects.create(
        charge_point=charge_point,
        connection=UUID(int=1),
        sender="cs",
        unique_id="secret",
        action="ChangeConfiguration",
        request='[2,"secret","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"}]',
        received_at=read(GRIZZL_E)[-1].at + timedelta(seconds=1),
    )
    assert "s3cret" not in str(exported(charge_point.identity))
    assert "AuthorizationKey" in str(exported(charge_point.identity))


def test_it_streams_to_a_file(tmp_path: Path) -> None:
    """In the same number of queries, however long it is."""
    _, charge_point, lines = played(GRIZZL_E)
    path = tmp_path / "conversation.jsonl"
    with CaptureQueriesContext(connection) as queries:
        call_command("export_messages", charge_point.identity.lower(), "--output", str(path))
    assert len(path.read_text().splitlines()) == len(lines)
    assert len(queries) <= 4


def test_a_charge_point_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    """And a file that can't be written."""
    _, charge_point, _ = played(GRIZZL_E)
    with pytest.raises(CommandError, match="no charge point 'X'; known: GRS-184000271"):
        call_command("export_messages", "X")
    missing = str(tmp_path / "no" / "file")
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_messages", charge_point.identity, "--output", missing)
