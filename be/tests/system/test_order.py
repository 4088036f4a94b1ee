"""Any number of workers share one queue, and each charger's order is kept (promise 4)."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chargers import raw_charger

from levity.ocpp.models import Message
from tests.system.site import Site, fleet

pytestmark = [pytest.mark.services, pytest.mark.slow]

CHARGERS, FRAMES = 40, 250


@pytest.fixture
def site(tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    """Three workers behind one edge."""
    with fleet(tmp_path, django_db_blocker, workers=3, edges=1) as site:
        yield site


def test_chargers_that_do_not_wait_are_taken_in_their_order(site: Site) -> None:
    """T-17: Start, values, Stop and what else, all sent at once; 0 inversions in 10,000 frames."""

    def frame(number: int) -> str:
        status = {
            "connectorId": 1,
            "errorCode": "NoError",
            "status": ("Available", "Preparing")[number % 2],
            "info": str(number),
        }
        return json.dumps([2, f"m{number}", "StatusNotification", status])

    async def one(name: str) -> list[str]:
        async with raw_charger(site.port(), f"/ws/{name}") as charger:
            for number in range(FRAMES):
                charger.send(frame(number))
            answered: list[str] = []
            while len(answered) < FRAMES:
                answer = json.loads(await charger.text())
                if answer[0] == 3:
                    answered.append(answer[1])
            return answered

    async def all_of_them() -> list[list[str]]:
        return await asyncio.gather(*(one(f"ORDER-{number}") for number in range(CHARGERS)))

    wanted = [f"m{number}" for number in range(FRAMES)]
    assert asyncio.run(all_of_them()) == [wanted] * CHARGERS
    rows = site.books.rows(Message, "charge_point__identity", "unique_id", sender="cp")
    for number in range(CHARGERS):
        assert [each for name, each in rows if name == f"ORDER-{number}"] == wanted
