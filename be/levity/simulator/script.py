"""The Calls of a load session as bytes, made with `%`: they must cost next to nothing.

A session is Status, Authorize, Start, 5 x MeterValues with 4 samples, Stop, Status, Heartbeat. Each
frame carries the time at which it is made, as a real charger's do: with one time for all, four of
five samples would be the same again, which the central system does not store. And the register
rises by what can have flowed in so short a time, so that it is one register all along, and not one
that begins anew with every sample.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache

import orjson

__all__ = ["CALLS_PER_SESSION", "SessionFrames", "boot_frame"]

CALLS_PER_SESSION = 11
# Wh between two samples; a meter is allowed more than that for rounding alone.
_RISE = 10


def boot_frame(number: int) -> bytes:
    """BootNotification with id 0."""
    payload = {
        "chargePointVendor": "Levity",
        "chargePointModel": "Load",
        "chargePointSerialNumber": f"LOAD-{number:06d}",
        "firmwareVersion": "1.0",
    }
    return orjson.dumps([2, "0", "BootNotification", payload])


_STATUS = (
    b'[2,"%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%b",'
    b'"timestamp":"%b"}]'
)
_AUTHORIZE = b'[2,"%d","Authorize",{"idTag":"%b"}]'
_START = (
    b'[2,"%d","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":%d,"timestamp":"%b"}]'
)
_METER = (
    b'[2,"%d","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%b",'
    b'"sampledValue":['
    b'{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register",'
    b'"location":"Outlet","unit":"Wh"},'
    b'{"value":"7210","context":"Sample.Periodic","measurand":"Power.Active.Import",'
    b'"location":"Outlet","unit":"W"},'
    b'{"value":"31.3","context":"Sample.Periodic","measurand":"Current.Import",'
    b'"location":"Outlet","phase":"L1","unit":"A"},'
    b'{"value":"230.1","context":"Sample.Periodic","measurand":"Voltage",'
    b'"location":"Outlet","phase":"L1-N","unit":"V"}]}]}]'
)
_STOP = (
    b'[2,"%d","StopTransaction",{"transactionId":%d,"idTag":"%b","meterStop":%d,"timestamp":"%b",'
    b'"reason":"Local"}]'
)
_HEARTBEAT = b'[2,"%d","Heartbeat",{}]'


@lru_cache(maxsize=2)
def _second(seconds: int) -> bytes:
    """This POSIX time as chargers write it, without its end; once a second for all chargers."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.").encode()


class SessionFrames:
    """One charger's endless sessions, a frame at a time."""

    def __init__(self, number: int, *, plugged_status: str = "Preparing") -> None:
        self._tag = b"LOAD%06d" % number
        self._plugged = plugged_status.encode()
        self._register = 1_000_000
        self._step = 0
        self._id = 0
        self._last = 0
        self.transaction_id = 0
        """As the central system gave it in the answer to StartTransaction."""

    def next(self) -> tuple[str, bytes, bytes]:
        """The next Call: its action, its unique id, its frame."""
        step = self._step
        self._step = (step + 1) % CALLS_PER_SESSION
        self._id += 1
        number = self._id
        unique_id = b'"%d"' % number
        match step:
            case 0:
                frame = _STATUS % (number, self._plugged, self._stamp())
                return "StatusNotification", unique_id, frame
            case 1:
                return "Authorize", unique_id, _AUTHORIZE % (number, self._tag)
            case 2:
                frame = _START % (number, self._tag, self._register, self._stamp())
                return "StartTransaction", unique_id, frame
            case 8:
                frame = _STOP % (
                    number,
                    self.transaction_id,
                    self._tag,
                    self._register,
                    self._stamp(),
                )
                return "StopTransaction", unique_id, frame
            case 9:
                return (
                    "StatusNotification",
                    unique_id,
                    _STATUS % (number, b"Available", self._stamp()),
                )
            case 10:
                return "Heartbeat", unique_id, _HEARTBEAT % number
            case _:
                self._register += _RISE
                frame = _METER % (number, self.transaction_id, self._stamp(), self._register)
                return "MeterValues", unique_id, frame

    def _stamp(self) -> bytes:
        """The time now, in milliseconds, and later than any before."""
        now = self._last = max(time.time_ns() // 1_000_000, self._last + 1)
        return _second(now // 1000) + b"%03dZ" % (now % 1000)
