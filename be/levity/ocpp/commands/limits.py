"""“Maximum current of this charger: 16 A”: set it, ask the charger what holds, remove it.

Nothing is stored beside the commands themselves: what was wanted and what the charger says is read
from the newest of them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any

from django.utils import timezone

from levity.ocpp.audit import Who
from levity.ocpp.commands.refusals import hint, keys_of
from levity.ocpp.commands.sending import send
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.versions import DONE, Version, version_of
from levity.writing import Phrase, gettext_noop
from levity_ws.frozen import frozen

__all__ = [
    "LARGEST",
    "LEAST",
    "STEP",
    "Limit",
    "Verdict",
    "limit_of",
    "most_of",
    "remove_limit",
    "set_limit",
    "shown",
]

# IEC 61851-1: below 6 A no car charges.
LEAST = Decimal(6)
STEP = Decimal("0.5")
"""Whole and half amperes pass every check for tenths; 6.3 and 10.6 fail in chargers that compute it
with doubles."""
USUAL = Decimal(32)
LARGEST = Decimal(125)
PHASES = 3
# A profile says from when on it holds; the same limit a second later is the same order.
ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
WATTS_PER_AMPERE = 230 * PHASES
# Among the newest of a charger those about the limit are looked for.
LOOK_BACK = 50
# By how much a charger may round: some know whole amperes only.
ROUNDED = Decimal("0.5")
OPEN = (Command.State.QUEUED, Command.State.SENT)
NO_LIMIT = Phrase(gettext_noop("No limit"))
NO_REASON = Phrase(gettext_noop("no reason"))
CHECKING = gettext_noop("%(limit)s: accepted; asking the charger whether it holds.")
ALLOWS_LESS = gettext_noop("%(limit)s: proved; the charger says that it allows %(allowed)s.")
PROVED = gettext_noop("%(limit)s: proved; the charger itself says so.")
ACCEPTED = gettext_noop(
    "%(limit)s: accepted, not checked: the charger does not tell what it allows."
)
DOUBTED = gettext_noop(
    "%(limit)s: doubted: the charger accepted it, but says that it allows %(allowed)s."
)
REFUSED = gettext_noop("%(limit)s: refused (%(status)s).")
REFUSED_WHY = gettext_noop("%(limit)s: refused (%(status)s). %(why)s")
NOT_SET = gettext_noop("%(limit)s: not set: %(why)s.")


class Verdict(StrEnum):
    """How sure it is that the limit holds."""

    NONE = "none"
    WAITING = "waiting"
    CHECKING = "checking"
    PROVED = "proved"
    ACCEPTED = "accepted"
    DOUBTED = "doubted"
    REFUSED = "refused"
    FAILED = "failed"
    REMOVED = "removed"


@frozen
class Limit:
    """The limit of a charge point, as far as it is known."""

    verdict: Verdict
    amperes: Decimal | None = None
    """What was asked for; None: no limit."""
    said: Decimal | None = None
    """What the charger says that holds now."""
    way: str = ""
    """`charger` or `session`."""
    told: Phrase = Phrase(gettext_noop("No maximum current was set here."))
    """How sure it is, for people."""
    command: Command | None = None
    """That set or removed it."""
    check: Command | None = None
    """That asked the charger."""

    @property
    def sentence(self) -> str:
        """What it says, in English."""
        return str(self.told)

    @property
    def is_open(self) -> bool:
        """Something is under way."""
        return self.verdict in (Verdict.WAITING, Verdict.CHECKING)

    @property
    def other_way(self) -> str:
        """What to try next, where this way did not work."""
        if self.verdict not in (Verdict.REFUSED, Verdict.DOUBTED, Verdict.ACCEPTED):
            return ""
        return "session" if self.way == "charger" else "charger"


def set_limit(
    charge_point: ChargePoint,
    amperes: Decimal,
    who: Who,
    *,
    source: str,
    way: str = "",
    phases: int = PHASES,
    idempotency_key: str | None = None,
    queue_offline: bool = True,
) -> Limit:
    """Allow at most so many A on each phase, rounded down to steps of 0.5 A, and check it.

    `way`: empty for the one that has worked here before. Raises `NotAllowed` or `NotPossible`.
    """
    version = version_of(charge_point.subprotocol)
    most = most_of(charge_point)
    if not amperes.is_finite() or not LEAST <= amperes <= most:
        raise NotPossible(f"the maximum current is between {LEAST} and {most} A, not {amperes}")
    if way not in ("", *version.limits.ways):
        raise NotPossible(f"there is no way {way!r}: choose {' or '.join(version.limits.ways)}")
    if phases not in (1, 2, 3):
        raise NotPossible("a charger has 1, 2 or 3 phases")
    rounded = (amperes / STEP).to_integral_value(ROUND_FLOOR) * STEP
    before = limit_of(charge_point)
    chosen = way or before.way or next(iter(version.limits.ways))
    if before.amperes is not None and before.way not in ("", chosen):
        # Two limits would both hold, and the lower one count.
        _send(charge_point, version.limits.remove(before.way), who, source, "", queue_offline)
    unit = _unit(charge_point, version)
    asked = version.limits.set(chosen, rounded, unit, phases, timezone.now())
    _, meant = version.limits.set(chosen, rounded, unit, phases, ANY_TIME)
    key = idempotency_key and f"{idempotency_key}:limit"
    _send(charge_point, asked, who, source, key, queue_offline, meant)
    _check(charge_point, version, chosen, who, source, idempotency_key, queue_offline)
    return limit_of(charge_point)


def remove_limit(
    charge_point: ChargePoint,
    who: Who,
    *,
    source: str,
    idempotency_key: str | None = None,
    queue_offline: bool = True,
) -> Limit:
    """Take our own limit away, and only that."""
    version = version_of(charge_point.subprotocol)
    way = limit_of(charge_point).way or next(iter(version.limits.ways))
    key = idempotency_key and f"{idempotency_key}:limit"
    _send(charge_point, version.limits.remove(way), who, source, key, queue_offline)
    _check(charge_point, version, way, who, source, idempotency_key, queue_offline)
    return limit_of(charge_point)


def most_of(charge_point: ChargePoint) -> Decimal:
    """The highest maximum current that makes sense: 32 A, or more for a charger of more power."""
    if charge_point.max_power is None:
        return USUAL
    rating = Decimal(charge_point.max_power) / WATTS_PER_AMPERE
    rounded = (rating / STEP).to_integral_value(ROUND_FLOOR) * STEP
    return min(max(USUAL, rounded), LARGEST)


def limit_of(charge_point: ChargePoint) -> Limit:
    """What was asked for last, and what the charger says of it: one query."""
    version = version_of(charge_point.subprotocol)
    newest = (
        Command.objects.filter(charge_point=charge_point, action__in=version.limits.actions)
        .defer("secret")
        .order_by("-id")[:LOOK_BACK]
    )
    check: Command | None = None
    for command in newest:
        if check is None and version.limits.is_check(command.action, command.payload):
            check = command
        if way := version.limits.way_of(command.action, command.payload):
            return _limit(charge_point, version, way, command, check)
    return Limit(Verdict.NONE)


def _limit(
    charge_point: ChargePoint, version: Version, way: str, command: Command, check: Command | None
) -> Limit:
    amperes = version.limits.wanted(command.action, command.payload)
    is_told = check is not None and check.state == Command.State.ANSWERED
    said = version.limits.said(check.result) if check is not None and is_told else None
    verdict = _verdict(amperes, command, check, said)
    return Limit(
        verdict,
        amperes,
        said,
        way,
        _sentence(charge_point, verdict, amperes, said, command),
        command,
        check,
    )


def _verdict(
    amperes: Decimal | None, command: Command, check: Command | None, said: Decimal | None
) -> Verdict:
    if command.state in OPEN:
        return Verdict.WAITING
    is_accepted = command.state == Command.State.ANSWERED and command.result_status in DONE
    if amperes is None:
        # A charger that knows no such profile has none to remove.
        is_gone = is_accepted or command.result_status == "Unknown"
        return Verdict.REMOVED if is_gone else _failure(command)
    if said is not None and said <= amperes + ROUNDED:
        # Also where the answer to the order was lost.
        return Verdict.PROVED
    if not is_accepted:
        return _failure(command)
    if said is not None:
        return Verdict.DOUBTED
    return Verdict.CHECKING if check is not None and check.state in OPEN else Verdict.ACCEPTED


def _failure(command: Command) -> Verdict:
    is_no = command.state in (Command.State.ANSWERED, Command.State.REFUSED)
    return Verdict.REFUSED if is_no else Verdict.FAILED


def _sentence(
    charge_point: ChargePoint,
    verdict: Verdict,
    amperes: Decimal | None,
    said: Decimal | None,
    command: Command,
) -> Phrase:
    limit: Phrase | str = f"{shown(amperes)} A" if amperes is not None else NO_LIMIT
    allowed = f"{shown(said or Decimal(0))} A"
    match verdict:
        case Verdict.WAITING:
            return Phrase(_on_its_way(charge_point, command), limit=limit)
        case Verdict.CHECKING:
            return Phrase(CHECKING, limit=limit)
        case Verdict.PROVED if said is not None and amperes is not None and said < amperes:
            return Phrase(ALLOWS_LESS, limit=limit, allowed=allowed)
        case Verdict.PROVED:
            return Phrase(PROVED, limit=limit)
        case Verdict.ACCEPTED:
            return Phrase(ACCEPTED, limit=limit)
        case Verdict.DOUBTED:
            return Phrase(DOUBTED, limit=limit, allowed=allowed)
        case Verdict.REMOVED:
            return Phrase(gettext_noop("No maximum current: it was removed."))
        case Verdict.REFUSED:
            status = command.result_status or command.error_code
            why = hint(charge_point.pk, command.action, command.payload, status)
            text = REFUSED_WHY if why else REFUSED
            return Phrase(text, limit=limit, status=status or NO_REASON, why=why)
        case _:
            state = Phrase(str(Command.State(command.state).label))
            return Phrase(NOT_SET, limit=limit, why=command.error_description or state)


def _on_its_way(charge_point: ChargePoint, command: Command) -> str:
    if command.state == Command.State.SENT:
        return gettext_noop("%(limit)s: sent; the charger has not answered yet.")
    if charge_point.online:
        return gettext_noop("%(limit)s: queued.")
    return gettext_noop("%(limit)s: queued until the charger connects.")


def shown(amperes: Decimal) -> str:
    """16, 10.5."""
    return f"{amperes.normalize():f}"


def _unit(charge_point: ChargePoint, version: Version) -> str:
    """A, unless the charger has said that it knows W only."""
    keys, _ = keys_of(charge_point.pk, version)
    allowed = keys.get(version.limits.unit_key, ("", True))[0]
    words = {word.strip().lower() for word in allowed.split(",") if word.strip()}
    return "W" if words and not words & {"current", "a"} and words & {"power", "w"} else "A"


def _check(
    charge_point: ChargePoint,
    version: Version,
    way: str,
    who: Who,
    source: str,
    idempotency_key: str | None,
    queue_offline: bool,
) -> None:
    key = idempotency_key and f"{idempotency_key}:check"
    _send(charge_point, version.limits.check(way), who, source, key, queue_offline)


def _send(
    charge_point: ChargePoint,
    asked: tuple[str, Mapping[str, Any]],
    who: Who,
    source: str,
    key: str | None,
    queue_offline: bool,
    meant: Mapping[str, Any] | None = None,
) -> None:
    action, payload = asked
    send(
        charge_point,
        action,
        payload,
        who,
        source=source,
        idempotency_key=key or None,
        queue_offline=queue_offline,
        meant=meant,
    )
