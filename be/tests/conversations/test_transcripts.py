"""Every conversation under be/tests/conversations/transcripts/ is played.

What comes of it is compared whole.

`X.jsonl` is the conversation (docs/chargers.md), `X.expected.json` says what it is about, what is
in the database before (`given`) and every row that is there after (`rows`). After a change that is
meant, UPDATE_TRANSCRIPTS=1 writes the rows again: read the difference before you commit it.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from levity.ocpp.conversation.lines import CENTRAL_SYSTEM, Line, head_of, read_lines, written
from tests.conversations.stage import Stage, prepare, rows
from tests.field.judge import nothing_to_correct

TRANSCRIPTS = Path(__file__).parents[1] / "conversations" / "transcripts"
CONVERSATIONS = sorted(TRANSCRIPTS.rglob("*.jsonl"))
UPDATE = bool(os.environ.get("UPDATE_TRANSCRIPTS"))


def named(path: Path) -> str:
    """vendor/conversation."""
    return str(path.relative_to(TRANSCRIPTS).with_suffix(""))


def read(path: Path) -> list[Line]:
    """The lines of a conversation."""
    with path.open(encoding="utf-8") as file:
        return list(read_lines(file))


def expected_of(path: Path) -> dict[str, Any]:
    """What stands beside it."""
    content: dict[str, Any] = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    return content


def meant(frames: Iterable[str]) -> list[Any]:
    """Levity's frames; Postgres keeps the payload of a command in an order of its own."""
    return [json.loads(text) for text in frames]


def play(lines: list[Line], given: dict[str, Any]) -> tuple[Stage, list[str]]:
    """All of it; what Levity said."""
    prepare(given)
    stage = Stage()
    said: list[str] = []
    recorded = [line for line in lines if line.sender == CENTRAL_SYSTEM]
    for line in lines:
        if line.sender != CENTRAL_SYSTEM:
            for answer in stage.take(line):
                if len(said) < len(recorded):
                    stage.learn(recorded[len(said)].text, answer)
                said.append(stage.recorded(answer))
        elif head_of(line.text)[0] == 2:
            said += stage.call(line)
    return stage, said


@pytest.mark.django_db(transaction=False, reset_sequences=False)
@pytest.mark.parametrize("path", CONVERSATIONS, ids=named)
def test_a_conversation_is_answered_as_recorded_and_leaves_these_rows(path: Path) -> None:
    """Energy, source, confidence, flags, reasons, times, errors: nothing is left out."""
    lines, expected = read(path), expected_of(path)
    stage, said = play(lines, expected.get("given", {}))
    assert meant(said) == meant(line.text for line in lines if line.sender == CENTRAL_SYSTEM)
    found = rows(stage)
    if UPDATE and found != expected["rows"]:
        text = json.dumps({**expected, "rows": found}, indent=1, ensure_ascii=False)
        path.with_suffix(".expected.json").write_text(f"{text}\n", encoding="utf-8")
    assert found == (found if UPDATE else expected["rows"])
    nothing_to_correct()


@pytest.mark.parametrize("path", CONVERSATIONS, ids=named)
def test_a_conversation_is_in_order_and_written_as_it_was_read(path: Path) -> None:
    """What a person puts there by hand is what `export_messages` would write."""
    lines = read(path)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert [written(line) for line in lines] == path.read_text("utf-8").splitlines()
    about = expected_of(path)["about"]
    assert about["title"]
    assert about["sources"]


def test_every_shipped_profile_has_a_conversation() -> None:
    """One folder for each make; what any charger may do stands in `any`."""
    from levity.ocpp.chargers.quirks.matching import profile_for
    from levity.ocpp.chargers.quirks.profile import DEFAULT

    met = {DEFAULT.name}
    for path in CONVERSATIONS:
        for line in read(path):
            if head_of(line.text)[2] == "BootNotification":
                said = json.loads(line.text)[3]
                names = ("chargePointVendor", "chargePointModel", "firmwareVersion")
                met.add(profile_for(*(said.get(name, "") for name in names)).name)
    from levity.ocpp.chargers.quirks.shipped import SHIPPED

    assert {profile.name for profile in SHIPPED} - met == set()
