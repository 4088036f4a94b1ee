"""Commands over MQTT, where they are switched on: `<prefix>/<site>/<charger>/<connector>/set/...`.

Whoever may publish to the broker may send them. They go the way of all commands
(`ocpp.commands.sending`), and the audit says that they came over MQTT.
"""

import logging
from decimal import Decimal, InvalidOperation
from typing import Any

from levity.integrations.models import MqttDevice
from levity.ocpp.commands.sending import send
from levity.ocpp.conf import setting
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions.sessions import told_id
from levity.ocpp.models import ChargePoint, InstalledProfile, Transaction
from levity.ocpp.versions import version_of

__all__ = ["VERBS", "NotDone", "obey"]

log = logging.getLogger(__name__)

VERBS = ("limit", "pause", "start", "stop")
LEAST, MOST, STEP = Decimal(6), Decimal(80), Decimal("0.5")
"""A. A car charges with 6 A at least."""
OURS = 9_100
"""With the connector's number, the id of our charging profile: one for each connector."""


class NotDone(Exception):
    """Nothing was sent; the text says why."""


class Broker:
    """Who decides, for the audit: everybody who may publish."""

    pk = person = account = None
    is_superuser = False

    def get_username(self) -> str:
        """As the audit names it."""
        return "MQTT"

    def has_perm(self, perm: str) -> bool:
        """Only to send commands: nothing else is asked for here."""
        return perm == "ocpp.add_command"


def obey(prefix: str, topic: str, text: str) -> str:
    """Send what this message asks for; what was sent. Raises `NotDone`."""
    charge_point, evse, number, verb = _meant(prefix, topic)
    word = text.strip().lower()
    asks = version_of(charge_point.subprotocol).asks
    if verb == "limit":
        asked = asks.current_limit(number, _amps(word), OURS + number)
    elif verb == "pause" and word in ("on", "true", "1"):
        asked = asks.current_limit(number, Decimal(0), OURS + number)
    elif verb == "pause" and word in ("off", "false", "0"):
        before = _limit_before(charge_point, number)
        asked = (
            asks.clear_profile(OURS + number)
            if before is None
            else asks.current_limit(number, before, OURS + number)
        )
    elif verb == "start":
        asked = asks.start(setting("OCPP_AUTO_REMOTE_START_ID_TAG"), number)
    elif verb == "stop":
        asked = asks.stop(told_id(_running(charge_point, evse, number)))
    else:
        raise NotDone(f"{word[:40]!r} is neither on nor off")
    try:
        send(charge_point, *asked, Broker(), source="MQTT", queue_offline=False)
    except Refused as error:
        raise NotDone(error.sentence) from error
    return asked[0]


def _meant(prefix: str, topic: str) -> tuple[ChargePoint, int, int, str]:
    parts = topic.removeprefix(f"{prefix}/").split("/")
    if not topic.startswith(f"{prefix}/") or len(parts) != 5 or parts[4] not in VERBS:
        raise NotDone(f"commands are {', '.join(VERBS)}")
    device = MqttDevice.objects.filter(base="/".join(parts[:2])).first()
    in_use = ChargePoint.objects.filter(retired_at=None)
    row = in_use.filter(pk=device.charge_point).first() if device else None
    if device is None or row is None or parts[2] not in device.counters:
        raise NotDone("there is no such connector")
    evse, _, number = parts[2].rpartition("-")
    return row, int(evse or 0), int(number), parts[4]


def _amps(word: str) -> Decimal:
    try:
        amps = Decimal(word)
    except InvalidOperation as error:
        raise NotDone(f"{word[:40]!r} is not a number of amperes") from error
    if not amps.is_finite() or not LEAST <= amps <= MOST:
        raise NotDone(f"a limit is between {LEAST} and {MOST} A; use pause for 0")
    return (amps / STEP).quantize(Decimal(1)) * STEP


def _limit_before(charge_point: ChargePoint, number: int) -> Decimal | None:
    """A, that were set over MQTT before the pause."""
    rows = InstalledProfile.objects.filter(charge_point=charge_point, profile_id=OURS + number)
    for schedule in rows.order_by("-id").values_list("schedule", flat=True)[:20]:
        if limit := limit_of(schedule):
            return limit
    return None


def limit_of(schedule: Any) -> Decimal | None:
    """A, if this schedule has one limit in A for all of its time."""
    if not isinstance(schedule, dict) or schedule.get("chargingRateUnit") != "A":
        return None
    periods = schedule.get("chargingSchedulePeriod")
    if not isinstance(periods, list) or len(periods) != 1 or not isinstance(periods[0], dict):
        return None
    limit = periods[0].get("limit")
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    return Decimal(str(limit)) if is_number else None


def _running(charge_point: ChargePoint, evse: int, number: int) -> Transaction:
    rows = Transaction.objects.filter(charge_point=charge_point, evse=evse, connector=number)
    row = rows.filter(state=Transaction.State.ACTIVE).order_by("-id").first()
    if row is None:
        raise NotDone("no session runs there")
    return row
