"""A charger of the field cases: what it says, and what it is asked, on whatever line it has.

A case is written once. In process its charger talks to a pipeline and time is the case's own; in
`make field` the same lines go through a real websocket into running processes.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

__all__ = ["Answers", "Asked", "Charger", "Ground", "register", "sampled"]

Asked = tuple[str, dict[str, Any]]
"""Action and payload of a Call that reached the charger."""
Answers = Mapping[str, Any]
"""What it answers by action: a payload, a frame as text, None for silence, or a function of the
whole Call that returns one of these. Without an entry: Accepted."""
USUAL: Answers = {"GetConfiguration": {"configurationKey": [], "unknownKey": []}}


class Ground(Protocol):
    """A Levity to try a case on."""

    @property
    def now(self) -> datetime:
        """What time it is there."""

    def charger(self, identity: str, answers: Answers | None = None, **handshake: Any) -> "Charger":
        """A charge point of this identity, connected."""

    def wait(self, seconds: float) -> None:
        """Let time pass; what is due meanwhile is sent, and answered."""

    def set_clock(self, now: datetime) -> None:
        """It is so late, where time is the test's own; never earlier than it was."""

    def settle(self, command: int) -> None:
        """Let this command be sent and answered."""

    def levity(self, *arguments: str) -> str:
        """What this command of `levity` says."""

    def at(self, seconds: float = 0.0, zone: str = "Z") -> str:
        """So many seconds from now, as chargers write it."""
        moment = self.now.astimezone(UTC) + timedelta(seconds=seconds)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + zone


def register(value: Any, context: str = "Sample.Periodic", **more: Any) -> dict[str, Any]:
    """One sample of the import register, in Wh."""
    return {
        "value": str(value),
        "context": context,
        "measurand": "Energy.Active.Import.Register",
        "unit": "Wh",
        **more,
    }


def sampled(value: Any, measurand: str, unit: str, **more: Any) -> dict[str, Any]:
    """One sample as it was written, with no field that is not named."""
    return {"value": value, "measurand": measurand, "unit": unit, **more}


class Charger:
    """One charge point; a ground gives it its line (`_ask`, `_connect`, `_leave`)."""

    def __init__(self, identity: str, answers: Answers | None = None) -> None:
        self.identity = identity
        self.answers = {**USUAL, **(answers or {})}
        self.asked: list[Asked] = []
        self._number = 0

    def say(self, text: str) -> list[Any] | None:
        """Send a frame as it is; the answer, None if there is none."""
        raise NotImplementedError

    def leave(self) -> None:
        """The line is gone without a word."""
        raise NotImplementedError

    def come_back(self) -> None:
        """A new line."""
        raise NotImplementedError

    def reply_to(self, call: list[Any]) -> str | None:
        """What this charger answers to a Call, as text; it is kept in `asked`."""
        action, payload = call[2], call[3]
        self.asked.append((action, payload))
        answer: Any = self.answers.get(action, {"status": "Accepted"})
        if isinstance(answer, Callable):
            answer = answer(call)
        if answer is None or isinstance(answer, str):
            return answer
        return json.dumps([3, call[1], answer])

    def asked_to(self, action: str) -> list[dict[str, Any]]:
        """The payloads of the Calls of this action."""
        return [payload for asked, payload in self.asked if asked == action]

    def call(self, action: str, payload: Any, unique_id: str | None = None) -> list[Any]:
        """A Call; the whole answer."""
        if unique_id is None:
            self._number += 1
            unique_id = f"f{self._number}"
        answer = self.say(json.dumps([2, unique_id, action, payload], separators=(",", ":")))
        assert answer is not None, f"{action} was not answered"
        return answer

    def result(self, action: str, payload: Any) -> Any:
        """A Call; the payload of its CALLRESULT."""
        answer = self.call(action, payload)
        assert answer[0] == 3, f"{action}: {answer}"
        return answer[2]

    def boot(self, vendor: str = "Vendor", model: str = "Model", **more: Any) -> Any:
        """BootNotification."""
        said = {"chargePointVendor": vendor, "chargePointModel": model, **more}
        return self.result("BootNotification", said)

    def status(self, status: str, connector: int = 1, at: str = "", **more: Any) -> Any:
        """StatusNotification."""
        said = {"connectorId": connector, "errorCode": "NoError", "status": status, **more}
        return self.result("StatusNotification", {**said, "timestamp": at} if at else said)

    def start(self, meter: Any, at: str, connector: int = 1, tag: str = "FIELD1") -> int:
        """StartTransaction; the id."""
        said = {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": at}
        return int(self.result("StartTransaction", said)["transactionId"])

    def stop(self, transaction: Any, meter: Any, at: str, **more: Any) -> Any:
        """StopTransaction."""
        said = {"transactionId": transaction, "meterStop": meter, "timestamp": at, **more}
        return self.result("StopTransaction", said)

    def meter(self, at: str, *samples: Any, transaction: Any = None, connector: int = 1) -> Any:
        """MeterValues of one moment."""
        named = {} if transaction is None else {"transactionId": transaction}
        values = [{"timestamp": at, "sampledValue": list(samples)}]
        return self.result("MeterValues", {"connectorId": connector, **named, "meterValue": values})
