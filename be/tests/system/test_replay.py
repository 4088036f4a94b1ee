"""`levity replay` plays recorded chargers over real sockets, and says where the server differs."""

import json
from pathlib import Path

import pytest

from tests.few import few
from tests.system.processes import Ran
from tests.system.site import Site

# Whole processes, each started anew: `make test` has the time for them.
pytestmark = pytest.mark.slow

CALLS = {"grizzl-e/05.633-session": {"RemoteStartTransaction": 1}}
TRANSCRIPTS = Path(__file__).parents[1] / "conversations" / "transcripts"


async def replay(site: Site, path: Path, identity: str, *more: str) -> Ran:
    """Play it as fast as the server answers."""
    return await site.levity_async(
        "replay", str(path), "--url", site.url(), "--identity", identity, "--no-wait", *more
    )


# What is in them is judged without sockets (tests/conversations): here that it goes over one. A
# Call of ours, a retry, a change of the subprotocol, broken frames.
@pytest.mark.parametrize(
    "name",
    few(
        [
            "grizzl-e/05.633-session",
            "any/start-again-with-a-new-id",
            "any/same-message-id-again",
            "metron/never-ending-stop",
            "foxess/version-flips",
            "abl/white-space",
            "libocpp/offline-start-transaction-id-null",
            "zaptec/go2-session",
        ],
        *("grizzl-e/05.633-session", "any/same-message-id-again"),
        *("foxess/version-flips", "abl/white-space"),
    ),
)
async def test_a_recorded_charger_is_answered_over_a_socket_as_recorded(
    site: Site, name: str
) -> None:
    """Subprotocols and refusals, retries, broken frames, one transaction; nothing differs."""
    path = TRANSCRIPTS / f"{name}.jsonl"
    ran = await replay(site, path, f"REPLAY-{name.replace('/', '-')[:30]}", "--json")
    summary = json.loads(ran.stdout)
    assert summary["differences"] == []
    assert summary["calls"] == CALLS.get(name, {})
    assert ran.returncode == 0


async def test_a_server_that_answers_otherwise_is_said_with_line_and_answers(
    site: Site, tmp_path: Path
) -> None:
    """Exit status 1; 2 for a file that is no conversation, and where nobody answers."""
    path = TRANSCRIPTS / "any" / "same-message-id-again.jsonl"
    other = tmp_path / "other.jsonl"
    right = '"idTagInfo": {"status": "Accepted"}'
    *before, last = path.read_text().rpartition(right)
    other.write_text("".join([before[0], right.replace("Accepted", "Blocked"), last]))
    ran = await replay(site, other, "REPLAY-DIFFERENCE")
    assert ran.returncode == 1
    answer = '{"result": {"transactionId": "<transactionId>", "idTagInfo": {"status": "%s"}}}'
    recorded, received = answer % "Blocked", answer % "Accepted"
    assert ran.stdout.splitlines() == [
        "1 connections, 5 frames sent, 5 answered, 0 Calls of the server, 1 differences",
        f"  line 8 (StartTransaction): recorded {recorded}, got {received}",
    ]
    other.write_text("{}\n")
    ran = await replay(site, other, "REPLAY-BROKEN")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert 'line 1: "at" is not a time with its zone' in ran.stderr
    ran = await site.levity_async(
        "replay", str(path), "--url", "ws://127.0.0.1:9/ws", "--no-wait", "--identity", "X"
    )
    assert ran.returncode == 2
    assert "ws://127.0.0.1:9/ws/X: " in ran.stderr


async def test_an_exported_conversation_can_be_played_again(site: Site, tmp_path: Path) -> None:
    """From a charger's log to the same session of another charge point."""
    identity, copy = "REPLAY-EXPORTED", tmp_path / "copy.jsonl"
    await replay(site, TRANSCRIPTS / "any" / "closing-meter-values.jsonl", identity)
    ran = await site.levity_async("export_messages", identity, "--anonymise", "--output", str(copy))
    assert ran.returncode == 0, ran.stderr
    ran = await replay(site, copy, "REPLAY-AGAIN", "--json")
    assert json.loads(ran.stdout)["differences"] == []
    assert ran.returncode == 0
