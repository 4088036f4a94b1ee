"""`levity send_command` beside a running site, as an operator or a script uses it."""

import asyncio
import json
from contextlib import AsyncExitStack

from ocpp.v16 import call

from levity.ocpp.models import Command
from tests.system.chargers import IndependentCharger, independent_charger
from tests.system.processes import Ran
from tests.system.site import Site

SOFT_RESET = '{"type":"Soft"}'
FIVE = """
from levity.ocpp import commands
from levity.ocpp.models import ChargePoint
charge_point = ChargePoint.objects.get(identity="CMD-FIFO")
for number in range(5):
    payload = {"key": "Number", "value": str(number)}
    commands.queue(charge_point, "ChangeConfiguration", payload, source="test")
"""


async def _boot(charger: IndependentCharger) -> None:
    await charger.call(call.BootNotification("Model S1", "Independent"))


def _said(ran: Ran) -> tuple[int, str, str]:
    return ran.returncode, ran.stdout.strip(), ran.stderr.strip()


def test_waiting_prints_the_answer_and_exits_with_its_verdict(site: Site) -> None:
    """All at once, each at a charger of its own."""

    async def play() -> dict[str, tuple[int, str, str]]:
        async with AsyncExitStack() as stack:

            async def ask(habit: str, *options: str) -> tuple[int, str, str]:
                identity = f"CMD-{habit}"
                charger = await stack.enter_async_context(independent_charger(site.url(), identity))
                charger.habits.answers["Reset"] = habit
                await _boot(charger)
                return _said(
                    await site.levity_async(
                        "send_command", identity, "Reset", SOFT_RESET, "--wait", *options
                    )
                )

            accepted, rejected, error, silence = await asyncio.gather(
                ask("Accepted"), ask("Rejected"), ask("error"), ask("silence", "--timeout", "1")
            )
        return {"accepted": accepted, "rejected": rejected, "error": error, "silence": silence}

    ended = asyncio.run(play())
    assert (ended["accepted"][0], json.loads(ended["accepted"][1])) == (0, {"status": "Accepted"})
    assert (ended["rejected"][0], json.loads(ended["rejected"][1])) == (1, {"status": "Rejected"})
    assert ended["error"][:2] == (1, "")
    assert "InternalError" in ended["error"][2]
    assert ended["silence"][:2] == (1, "")
    assert "did not answer in time" in ended["silence"][2]


def test_charger_that_is_unknown_or_away_is_said_so(site: Site) -> None:
    async def play() -> list[tuple[int, str, str]]:
        async with independent_charger(site.url(), "CMD-AWAY") as charger:
            await _boot(charger)
        return [
            _said(ran)
            for ran in await asyncio.gather(
                site.levity_async("send_command", "CMD-NOBODY", "Reset", SOFT_RESET, "--wait"),
                site.levity_async(
                    *("send_command", "CMD-AWAY", "Reset", SOFT_RESET, "--wait", "--if-connected")
                ),
                site.levity_async("send_command", "CMD-AWAY", "Reset", '{"type":"Sideways"}'),
            )
        ]

    unknown, away, wrong = asyncio.run(play())
    assert unknown[:2] == (1, "")
    assert "no charge point 'CMD-NOBODY'" in unknown[2]
    assert away[:2] == (1, "")
    assert "the charger is not connected" in away[2]
    assert wrong[:2] == (1, "")
    assert "type" in wrong[2]


def test_five_commands_arrive_in_order_and_never_two_at_once(site: Site) -> None:
    """OCPP-J 1.6, 4.1.1. Two workers (fleet) look for commands at the same time."""

    async def play() -> tuple[list[str], int]:
        async with independent_charger(site.url(-1), "CMD-FIFO") as charger:
            await _boot(charger)
            charger.habits.hold = asyncio.Event()
            queued = await site.levity_async("shell", "--no-imports", "-c", FIVE)
            assert queued.returncode == 0, queued.stderr
            await charger.until_asked(1)
            charger.habits.hold.set()
            charger.habits.hold = None
            asked = await charger.until_asked(5)
            # The last answer is on the books after the next frame of this charger is.
            await charger.call(call.Heartbeat())
            await charger.call(call.Heartbeat())
            return [each.payload["value"] for each in asked], charger.most_outstanding

    assert asyncio.run(play()) == (["0", "1", "2", "3", "4"], 1)
    states = site.books.rows(Command, "state", "result_status", charge_point__identity="CMD-FIFO")
    assert states == [("answered", "Accepted")] * 5
