"""A charger's ordinary day, frame by frame, as chargers at homes and in car parks send it.

288 Heartbeats, 480 MeterValues of four samples in one session of eight hours, the session's start,
stop and status notifications: about 775 exchanges. Message ids are counters for two chargers of
three and UUIDs for the third, as makes differ in it and as UUIDs don't compress.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import orjson

__all__ = ["SLICE", "ChargerDay", "Exchange"]

SLICE = timedelta(minutes=5)
"""The chargers of a site are played in steps of this length: a heartbeat's interval."""
_SAMPLE = timedelta(minutes=1)
_CHARGES = timedelta(hours=8)
_POWER = 7_200.0  # W

Exchange = tuple[datetime, str]
"""When the charger sends it, and the frame."""


class ChargerDay:
    """The days of one charger, one after the other; its register goes on through all of them."""

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self.identity = f"YEAR-{number:05d}"
        self.transaction_id = 0
        """As the central system gave it in the answer to StartTransaction."""
        self._random = Random(f"{seed} {number}")  # no secret
        self._register = 1_000_000.0 + 1_000 * number
        self._count = 0
        self._tag = f"04{self._random.getrandbits(48):012X}"
        self._plugs_in: datetime | None = None

    def begin(self, midnight: datetime) -> None:
        """A new day: at what time the car comes is drawn anew."""
        minutes = self._random.randrange(0, 15 * 60)
        self._plugs_in = midnight + timedelta(minutes=minutes, seconds=self._random.randrange(60))

    def slice(self, first: datetime) -> Iterator[Exchange]:
        """What it sends in the `SLICE` that begins then."""
        assert self._plugs_in is not None
        yield first + timedelta(seconds=self.number % 240), self._call("Heartbeat", {})
        comes, goes = self._plugs_in, self._plugs_in + _CHARGES
        end = first + SLICE
        if first <= comes < end:
            yield comes, self._status("Preparing", comes)
            yield comes + timedelta(seconds=8), self._start(comes + timedelta(seconds=8))
        moment = first
        while moment < end:
            at = moment + timedelta(seconds=comes.second)
            if comes + SLICE <= at < goes and first <= at < end:
                yield at, self._meter_values(at)
            moment += _SAMPLE
        if first <= goes < end:
            yield goes, self._stop(goes)
            yield goes + timedelta(seconds=20), self._status("Available", goes)

    def charging(self, at: datetime) -> str:
        """The status a moment after the start was answered."""
        return self._status("Charging", at)

    def _call(self, action: str, payload: dict[str, object]) -> str:
        self._count += 1
        unique = str(self._count)
        if self.number % 3 == 0:
            unique = str(UUID(int=self._random.getrandbits(128)))
        return orjson.dumps([2, unique, action, payload]).decode()

    def _status(self, status: str, at: datetime) -> str:
        return self._call(
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": _wire(at)},
        )

    def _start(self, at: datetime) -> str:
        payload = {
            "connectorId": 1,
            "idTag": self._tag,
            "meterStart": int(self._register),
            "timestamp": _wire(at),
        }
        return self._call("StartTransaction", payload)

    def _meter_values(self, at: datetime) -> str:
        power = _POWER * self._random.uniform(0.97, 1.0)
        self._register += power / 60
        ampere = power / 230.0
        values = (
            (f"{self._register:.0f}", "Energy.Active.Import.Register", "Wh", None),
            (f"{power:.1f}", "Power.Active.Import", "W", None),
            (f"{ampere:.2f}", "Current.Import", "A", "L1"),
            (f"{self._random.uniform(228, 232):.1f}", "Voltage", "V", "L1-N"),
        )
        samples = [
            {"value": value, "context": "Sample.Periodic", "measurand": name, "unit": unit}
            | ({"phase": phase} if phase else {})
            for value, name, unit, phase in values
        ]
        payload = {
            "connectorId": 1,
            "transactionId": self.transaction_id,
            "meterValue": [{"timestamp": _wire(at), "sampledValue": samples}],
        }
        return self._call("MeterValues", payload)

    def _stop(self, at: datetime) -> str:
        payload = {
            "transactionId": self.transaction_id,
            "idTag": self._tag,
            "meterStop": int(self._register),
            "timestamp": _wire(at),
            "reason": "EVDisconnected",
        }
        return self._call("StopTransaction", payload)


def _wire(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
