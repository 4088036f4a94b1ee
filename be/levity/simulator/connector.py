"""One connector, sans-I/O: what happens to it goes in, the Calls that follow from it come out."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from levity.simulator.meter import Meter
from levity.simulator.outbox import ActiveTransaction, Outgoing
from levity.simulator.profiles import AfterPowerLoss, Profile
from levity.simulator.wire import written

__all__ = ["Connector", "status_notification"]

Calls = tuple[Outgoing, ...]


def status_notification(
    profile: Profile, connector: int, status: str, error: str, now: datetime
) -> Calls:
    """StatusNotification as this make sends it, and the vendor's double of it, if any."""
    if error != "NoError":
        status = error if profile.fault_as_status else status
        error = profile.fault_code or error
    payload: dict[str, Any] = {"connectorId": connector, "errorCode": error, "status": status}
    if profile.status_with_timestamp:
        payload["timestamp"] = written(now, profile)
    payload.update(profile.status_extras)
    if status in profile.status_info:
        payload["info"] = profile.status_info[status]
    calls: Calls = (Outgoing("StatusNotification", payload),)
    if profile.doubles_status_in is not None:
        double = {
            "vendorId": profile.doubles_status_in,
            "messageId": "StatusNotification",
            "data": f"connectorId={connector};status={status};errorCode={error}",
        }
        calls += (Outgoing("DataTransfer", double),)
    return calls


class Connector:
    """Cable, contactor, meter and the transaction of one connector.

    Every method returns the Calls to queue, in order; none does I/O and none looks at a clock.
    """

    def __init__(self, number: int, profile: Profile, chance: Random) -> None:
        self.number = number
        self._profile = profile
        self.meter = Meter(profile, chance)
        self.status = "Available"
        self.error = "NoError"
        self.plugged = False
        self.operative = True
        self.transaction: ActiveTransaction | None = None
        self.prepared_at: datetime | None = None
        """Since when a car waits for its start."""
        self.held: tuple[int, str] | None = None
        """A reservation's number, and its tag."""

    def status_calls(self, now: datetime) -> Calls:
        """The present status."""
        return status_notification(self._profile, self.number, self.status, self.error, now)

    def plug_in(self, now: datetime) -> Calls:
        """A cable is plugged in."""
        self.plugged = True
        if self.status != "Available":
            return ()
        self.prepared_at = now
        return self._become("Preparing", now)

    def start(self, now: datetime, id_tag: str) -> Calls:
        """The contactor closes. Nothing happens unless a car waits for it."""
        held = self.held if self.is_held_for(id_tag) and self.plugged else None
        if self.transaction is not None or not (held or self.status in ("Preparing", "Finishing")):
            return ()
        self.prepared_at = None
        meter_start = self.meter.begin(now)
        self.transaction = ActiveTransaction(self.number, id_tag, now, meter_start)
        payload = {
            "connectorId": self.number,
            "idTag": id_tag,
            "meterStart": meter_start,
            "timestamp": written(now, self._profile),
        }
        if held is not None:
            payload["reservationId"], self.held = held[0], None
        start = (Outgoing("StartTransaction", payload, self.transaction, kept=True),)
        charging = self._become("Charging", now)
        return charging + start if self._profile.charging_before_start else start + charging

    def is_held_for(self, id_tag: str) -> bool:
        """True if it is reserved, and for this tag."""
        return self.status == "Reserved" and self.held is not None and self.held[1] == id_tag

    def hold(self, now: datetime, number: int, id_tag: str) -> Calls:
        """A reservation begins."""
        self.held = (number, id_tag)
        return self._become("Reserved", now) if self.status == "Available" else ()

    def free(self, now: datetime, number: int) -> Calls:
        """That reservation is over, if it is still there."""
        if self.held is None or self.held[0] != number:
            return ()
        self.held = None
        if self.status != "Reserved":
            return ()
        if self.plugged and self.operative:
            self.prepared_at = now
            return self._become("Preparing", now)
        return self._become(self._rest(), now)

    def sample(self, now: datetime, *, offline: bool = False, context: str | None = None) -> Calls:
        """A meter reading, of the running transaction where there is one."""
        self.meter.advance(now)
        calls = (self._meter_values(now, self.transaction, offline=offline, context=context),)
        if self.meter.full and self.status == "Charging":
            return calls + self._become("SuspendedEV", now)
        return calls

    def stop(self, now: datetime, reason: str, id_tag: str | None = None) -> Calls:
        """The transaction ends; the car stays plugged in unless `unplug` follows."""
        ended = self._end_transaction(now, reason, id_tag)
        if not ended or self.status in ("Faulted", "Unavailable"):
            return ended
        return ended + self._become("Finishing" if self.plugged else self._rest(), now)

    def unplug(self, now: datetime) -> Calls:
        """The cable is pulled out, whatever is going on."""
        self.plugged = False
        self.prepared_at = None
        ended = self._end_transaction(now, "EVDisconnected", None)
        if self.status == "Faulted":
            return ended
        return ended + self._become(self._rest(), now)

    def preparing_timed_out(self, now: datetime) -> Calls:
        """ConnectionTimeOut passed without a start: the car is left where it stands."""
        if self.status != "Preparing":
            return ()
        self.prepared_at = None
        return self._become("Finishing", now)

    def fault(self, now: datetime, code: str) -> Calls:
        """The hardware fails; a running transaction ends."""
        ended = self._end_transaction(now, "Other", None)
        self.error = code
        return ended + self._become("Faulted", now)

    def recover(self, now: datetime) -> Calls:
        """The hardware is well again; a car that is still there may charge."""
        if self.error == "NoError":
            return ()
        self.error = "NoError"
        if self.plugged and self.operative:
            self.prepared_at = now
            return self._become("Preparing", now)
        return self._become(self._rest(), now)

    def set_operative(self, now: datetime, operative: bool) -> Calls:
        """ChangeAvailability; the caller has seen to it that no transaction runs."""
        self.operative = operative
        if self.status == "Faulted":
            return ()
        if operative and self.plugged:
            self.prepared_at = now
            return self._become("Preparing", now)
        return self._become(self._rest(), now)

    def lose_power(self, now: datetime) -> None:
        """Everything stops without a word."""
        self.meter.advance(now)
        self.meter.interrupt()

    def power_returns(self, now: datetime) -> Calls:
        """After the boot: what becomes of the transaction that was under way, and the status."""
        if self.transaction is not None:
            match self._profile.after_power_loss:
                case AfterPowerLoss.RESUME:
                    self.meter.resume(now)
                    return self.status_calls(now)
                case AfterPowerLoss.STOP:
                    ended = self._end_transaction(now, "PowerLoss", None)
                    self.status = "Finishing" if self.plugged else self._rest()
                    return ended + self.status_calls(now)
                case AfterPowerLoss.FORGET:
                    self.meter.end(now)
                    self.transaction = None
        if self.status != "Faulted":
            self.status = "Preparing" if self.plugged and self.operative else self._rest()
            self.prepared_at = now if self.status == "Preparing" else None
        return self.status_calls(now)

    def _rest(self) -> str:
        if not self.operative:
            return "Unavailable"
        return "Available" if self.held is None else "Reserved"

    def _become(self, status: str, now: datetime) -> Calls:
        if status == self.status:
            return ()
        self.status = status
        return self.status_calls(now)

    def _meter_values(
        self,
        now: datetime,
        transaction: ActiveTransaction | None,
        *,
        offline: bool = False,
        context: str | None = None,
    ) -> Outgoing:
        values = self.meter.meter_value(now, self._profile.samples, offline=offline)
        if context is not None:
            for value in values:
                for sampled in value["sampledValue"]:
                    sampled["context"] = context
        payload = {"connectorId": self.number, "meterValue": values}
        return Outgoing("MeterValues", payload, transaction, kept=transaction is not None)

    def _end_transaction(self, now: datetime, reason: str, id_tag: str | None) -> Calls:
        transaction = self.transaction
        if transaction is None:
            return ()
        self.transaction = None
        payload: dict[str, Any] = {
            "meterStop": self.meter.end(now),
            "timestamp": written(now, self._profile),
            "reason": reason,
        }
        tag = id_tag if self._profile.stop_id_tag is None else self._profile.stop_id_tag
        if tag is not None:
            payload["idTag"] = tag
        if self._profile.stop_samples:
            payload["transactionData"] = self._transaction_data(now, transaction)
        calls: Calls = (Outgoing("StopTransaction", payload, transaction, kept=True),)
        if self._profile.meter_values_after_stop:
            calls += (self._meter_values(now, transaction, context="Transaction.End"),)
        return calls

    def _transaction_data(
        self, now: datetime, transaction: ActiveTransaction
    ) -> list[Mapping[str, Any]]:
        samples = self._profile.stop_samples
        start = {
            "timestamp": written(transaction.started_at, self._profile),
            "sampledValue": [{"value": str(transaction.meter_start)}],
        }
        if self._profile.stop_data_before_start:
            now = transaction.started_at - timedelta(seconds=1)
        return [start, *self.meter.meter_value(now, samples)]
