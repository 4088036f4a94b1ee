"""The cases of docs/evidence/conformance.md, and the independent charger that drives them.

The charger is that of the PyPI package `ocpp`, which checks every answer against the official
schemas; a case is met when the database shows what the charger was told.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ocpp.v16 import call, datatypes

from levity.ocpp.models import (
    ChargePoint,
    Connector,
    FailedMessage,
    IdTag,
    Message,
    QuarantinedMessage,
    Transaction,
)
from tests.system.chargers import IndependentCharger, independent_charger
from tests.system.processes import CHECKOUT, eventually
from tests.system.site import Site

__all__ = ["Case", "Said", "ago", "all_titles", "titles"]

_ROW = re.compile(r"^\| (TC_\w+) \| (.*?) \| .*? \| (.*?) \|$", re.MULTILINE)

Said = dict[str, Any]


def titles() -> dict[str, str]:
    """Id -> title of the cases in which the central system sends no Call."""
    return {row[1]: row[2] for row in _rows() if row[3] == "-"}


def all_titles() -> dict[str, str]:
    """Id -> title of all the cases."""
    return {row[1]: row[2] for row in _rows()}


def _rows() -> list[re.Match[str]]:
    text = (CHECKOUT / "docs" / "evidence" / "conformance.md").read_text()
    return list(_ROW.finditer(text))


def ago(minutes: float) -> str:
    """A charger's time so many minutes ago; whole seconds."""
    moment = datetime.now(UTC) - timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Case:
    """One charge point, and what is on its books. `known`: only known tags may charge there.

    That also keeps Levity from starting by itself when a car is plugged in.
    """

    def __init__(self, site: Site, identity: str, *, known: bool = True) -> None:
        self.site, self.identity = site, identity
        self.mine = {"charge_point__identity": identity}
        with site.books.open(ChargePoint) as rows:
            rows.create(identity=identity, authorization="known" if known else "")

    def tag(self, id_tag: str, **values: Any) -> None:
        """An id tag that is on the books."""
        with self.site.books.open(IdTag) as rows:
            rows.get_or_create(id_tag=id_tag, **values)

    def play(self, script: Callable[[IndependentCharger], Awaitable[Said]]) -> Said:
        """Connect, let the charger play this, and leave; what it was told."""

        async def run() -> Said:
            async with independent_charger(self.site.url(), self.identity) as charger:
                return await script(charger)

        return asyncio.run(run())

    def transactions(self, *fields: str) -> list[tuple[Any, ...]]:
        """These columns of its transactions, oldest first."""
        return self.site.books.rows(Transaction, *fields, **self.mine)

    def statuses(self) -> dict[int, str]:
        """What its connectors are."""
        return dict(self.site.books.rows(Connector, "number", "status", **self.mine))

    def messages(self) -> list[str]:
        """The actions of its messages, those with an error marked."""
        rows = self.site.books.rows(Message, "action", "error_code", "response", **self.mine)
        assert [action for action, _, response in rows if not response] == []
        return [f"{action}!{code}" if code else action for action, code, _ in rows]

    def is_clean(self) -> bool:
        """True if nothing is in quarantine or failed, and the charger is seen as gone."""
        counts = [
            self.site.books.count(each, **self.mine) for each in (QuarantinedMessage, FailedMessage)
        ]
        gone = eventually(
            lambda: self.site.books.row(ChargePoint, "connection", identity=self.identity),
            {"connection": None},
        )
        return counts == [0, 0] and gone == {"connection": None}


async def boot(charger: IndependentCharger, connectors: int = 1) -> str:
    """BootNotification, and every connector Available; the registration status."""
    said = await charger.call(call.BootNotification("Model S1", "Independent"))
    for number in range(connectors + 1):
        await status(charger, "Available", number)
    return str(said.status)


async def status(
    charger: IndependentCharger, name: str, connector: int = 1, error: str = "NoError"
) -> None:
    """StatusNotification."""
    await charger.call(call.StatusNotification(connector, error, name, timestamp=ago(0)))


async def authorize(charger: IndependentCharger, id_tag: str) -> Said:
    """Authorize; idTagInfo."""
    info: Said = (await charger.call(call.Authorize(id_tag))).id_tag_info
    return info


async def start(
    charger: IndependentCharger, id_tag: str, at: str, meter: int = 1000
) -> tuple[int, Said]:
    """StartTransaction on connector 1; transactionId and idTagInfo."""
    said = await charger.call(call.StartTransaction(1, id_tag, meter, at))
    return said.transaction_id, said.id_tag_info


async def measure(charger: IndependentCharger, transaction_id: int, at: str, register: int) -> None:
    """MeterValues with the import register."""
    sample = datatypes.SampledValue(value=str(register))
    value = datatypes.MeterValue(timestamp=at, sampled_value=[sample])
    await charger.call(call.MeterValues(1, [value], transaction_id=transaction_id))


async def stop(
    charger: IndependentCharger, transaction_id: int, at: str, meter: int, **more: Any
) -> Said | None:
    """StopTransaction; idTagInfo, if the answer has one."""
    said = await charger.call(call.StopTransaction(meter, at, transaction_id, **more))
    info: Said | None = said.id_tag_info
    return info
