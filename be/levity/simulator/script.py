"""The Calls of a load session as bytes, made with `%`: they must cost next to nothing.

A session is Status, Authorize, Start, 5 x MeterValues with 4 samples, Stop, Status, Heartbeat.
"""

from datetime import UTC, datetime

import orjson

__all__ = ["CALLS_PER_SESSION", "SessionFrames", "boot_frame"]

CALLS_PER_SESSION = 11
_METER_VALUES = 5


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


class SessionFrames:
    """One charger's endless sessions, a frame at a time."""

    def __init__(self, number: int, *, plugged_status: str = "Preparing") -> None:
        self._tag = b"LOAD%06d" % number
        self._plugged = plugged_status.encode()
        self._register = 1_000_000
        self._step = 0
        self._id = 0
        self._stamp = b""
        self.transaction_id = 0
        """As the central system gave it in the answer to StartTransaction."""

    def next(self) -> tuple[str, bytes, bytes]:
        """The next Call: its action, its unique id, its frame."""
        step = self._step
        self._step = (step + 1) % CALLS_PER_SESSION
        self._id += 1
        number = self._id
        if step == 0:
            # One clock reading a session is enough; the register makes each Start unlike the last.
            now = datetime.now(UTC)
            self._stamp = now.strftime("%Y-%m-%dT%H:%M:%S.").encode() + b"%03dZ" % (
                now.microsecond // 1000
            )
        unique_id = b'"%d"' % number
        match step:
            case 0:
                frame = _STATUS % (number, self._plugged, self._stamp)
                return "StatusNotification", unique_id, frame
            case 1:
                return "Authorize", unique_id, _AUTHORIZE % (number, self._tag)
            case 2:
                frame = _START % (number, self._tag, self._register, self._stamp)
                return "StartTransaction", unique_id, frame
            case 8:
                frame = _STOP % (
                    number,
                    self.transaction_id,
                    self._tag,
                    self._register,
                    self._stamp,
                )
                return "StopTransaction", unique_id, frame
            case 9:
                return (
                    "StatusNotification",
                    unique_id,
                    _STATUS % (number, b"Available", self._stamp),
                )
            case 10:
                return "Heartbeat", unique_id, _HEARTBEAT % number
            case _:
                self._register += 120
                frame = _METER % (number, self.transaction_id, self._stamp, self._register)
                return "MeterValues", unique_id, frame
