"""What a person decides about the configuration of a charger: reading it, changing a key.

What a charger answers is written by `store.configuration`; each change is read back.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from levity.ocpp.audit import Who, note
from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.chargers.quirks.profile import QuirkProfile
from levity.ocpp.commands import queue
from levity.ocpp.commands.masses import begin_mass, forget_empty
from levity.ocpp.commands.queueing import Queued, queue_many
from levity.ocpp.commands.sending import SEND, send
from levity.ocpp.deciding import Left, NotPossible, allowed, check, portions
from levity.ocpp.models import ChargePoint, ConfigurationKey, MassCommand
from levity.ocpp.rules.configuration import wrong_with
from levity.ocpp.versions import Version, version_of
from levity.ocpp.wire.masking import MASK
from levity.ocpp.wire.private import is_secret
from levity_ws.frozen import frozen

__all__ = [
    "SOURCE",
    "VERIFY",
    "CannotChange",
    "ChangedMany",
    "NeedsConfirmation",
    "asked_in_portions",
    "change",
    "change_many",
    "danger_of",
    "key_note",
    "objection",
    "read_again",
    "values_of",
]

SOURCE = "configuration"
"""The `source` of commands that a person has asked for here."""
VERIFY = "configuration: read back"
EXPIRES = timedelta(hours=1)
"""A charger that is away gets it when it is back, within this time."""
USUAL_MOST = 20
"""Keys that are asked for at once where the charger has not told how many it takes."""


class CannotChange(NotPossible):
    """This key can't be changed here, or not to this value."""


class NeedsConfirmation(NotPossible):
    """It may cut the charger off, or the charger says that it can't: only with `sure`."""


def read_again(
    charge_point: ChargePoint,
    who: Who,
    keys: Sequence[str] = (),
    *,
    idempotency_key: str | None = None,
    expires_after: timedelta = EXPIRES,
) -> Queued:
    """Ask the charger for all of its keys, or for these."""
    asked = version_of(charge_point.subprotocol).configuration.ask(keys)
    return send(
        charge_point,
        *asked,
        who,
        source=SOURCE,
        idempotency_key=idempotency_key,
        expires_after=expires_after,
    )


def change(
    charge_point: ChargePoint,
    key: str,
    value: str,
    who: Who,
    *,
    sure: bool = False,
    idempotency_key: str | None = None,
    expires_after: timedelta = EXPIRES,
) -> Queued:
    """Send this value to the charger, and read it back.

    Raises `CannotChange`, or `NeedsConfirmation` unless `sure`.
    """
    check(charge_point, who, SEND)
    key = key.strip()
    row = ConfigurationKey.objects.filter(charge_point=charge_point, name=key.lower()).first()
    if wrong := objection(charge_point, key, value):
        raise CannotChange(wrong)
    if not sure and (danger := danger_of(charge_point, key, row)):
        raise NeedsConfirmation(f"{key}: {danger} Confirm it to change it all the same.")
    version = version_of(charge_point.subprotocol)
    spelled = row.key if row is not None else key
    with transaction.atomic():
        sent = send(
            charge_point,
            *version.configuration.put(spelled, value),
            who,
            source=SOURCE,
            idempotency_key=idempotency_key,
            expires_after=expires_after,
        )
        if sent.is_new:
            shown = MASK if is_secret(key) else value
            before = row.value_now(charge_point.booted_at) if row is not None else None
            note(who, [charge_point], "configuration changed", {spelled: before}, {spelled: shown})
            if not is_unsafe(quirks_of(charge_point), key):
                read = version.configuration.ask([spelled])
                queue(
                    charge_point,
                    *read,
                    source=VERIFY,
                    requested_by=who,
                    expires_after=expires_after,
                )
    return sent


@frozen
class ChangedMany:
    """How many get a new value, and which not, and why."""

    count: int
    left: tuple[Left, ...] = ()
    mass: MassCommand | None = None
    """Shows how far it has come; None where nobody gets it."""


def change_many(
    charge_points: QuerySet[ChargePoint],
    key: str,
    value: str,
    who: Who,
    *,
    sure: bool = False,
    batch: str,
) -> ChangedMany:
    """Send this value to all of these that can have it, and read it back; in portions, of a fixed
    number of statements each. `batch` makes a second click the same commands.

    Raises `NeedsConfirmation` unless `sure`, before anything is sent.
    """
    rows, key = allowed(charge_points, who, SEND), key.strip()
    if not sure:
        for row in rows:
            if danger := danger_of(row, key, None):
                raise NeedsConfirmation(f"{key}: {danger} Confirm it to change it all the same.")
    count, why_not = 0, dict[str, list[str]]()
    mass: MassCommand | None = None
    for keys in portions(rows):
        some = list(ChargePoint.objects.filter(pk__in=keys).order_by("pk"))
        limits = _limits_of(some, key)
        good: dict[str, list[ChargePoint]] = {}
        for row in some:
            if wrong := _objection(row, key, value, limits.get(row.pk, {})):
                why_not.setdefault(wrong, []).append(str(row))
            else:
                good.setdefault(row.subprotocol, []).append(row)
        with transaction.atomic():
            for subprotocol, mine in good.items():
                count += len(mine)
                if mass is None:
                    put = version_of(subprotocol).configuration.put(key, value)
                    mass = begin_mass(*put, who, source=SOURCE)
                _send_to(subprotocol, mine, key, value, who, batch, mass)
    left = tuple(Left(len(names), why, tuple(names[:5])) for why, names in why_not.items())
    return ChangedMany(count, left, _shown_by(mass, batch))


def _shown_by(mass: MassCommand | None, batch: str) -> MassCommand | None:
    """The row of these commands: of a second click, that of the first."""
    if mass is None:
        return None
    forget_empty(mass)
    earlier = MassCommand.objects.filter(commands__idempotency_key=batch)
    return earlier.order_by("pk").first()


def _send_to(
    subprotocol: str,
    rows: list[ChargePoint],
    key: str,
    value: str,
    who: Who,
    batch: str,
    mass: MassCommand,
) -> None:
    configuration = version_of(subprotocol).configuration
    made = queue_many(
        rows,
        *configuration.put(key, value),
        source=SOURCE,
        idempotency_key=batch,
        requested_by=who,
        mass=mass,
    )
    new = {command.charge_point_id for command in made}
    again = [row for row in rows if row.pk in new and not is_unsafe(quirks_of(row), key)]
    if again:
        queue_many(
            again,
            *configuration.ask([key]),
            source=VERIFY,
            idempotency_key=f"{batch}:read"[:200],
            requested_by=who,
        )
    shown = MASK if is_secret(key) else value
    mine = [row for row in rows if row.pk in new]
    note(who, mine, "configuration changed", {}, {key: shown})


def _limits_of(rows: list[ChargePoint], key: str) -> dict[int, dict[str, str | None]]:
    """How long a list can be at each of these, in one query where there is a limit at all."""
    infos = [version_of(row.subprotocol).configuration.about(key) for row in rows[:1]]
    names = [info.limit_key.lower() for info in infos if info is not None and info.limit_key]
    found: dict[int, dict[str, str | None]] = {}
    if names:
        known = ConfigurationKey.objects.filter(charge_point__in=rows, name__in=names)
        for pk, name, value in known.values_list("charge_point_id", "name", "value"):
            found.setdefault(pk, {})[name] = value
    return found


def objection(charge_point: ChargePoint, key: str, value: str) -> str:
    """Why this value can't be sent to this charger, for people; empty if it can."""
    return _objection(charge_point, key, value, values_of(charge_point))


def _objection(
    charge_point: ChargePoint, key: str, value: str, values: Mapping[str, str | None]
) -> str:
    version = version_of(charge_point.subprotocol)
    if not key.strip() or len(key) > 50:
        return "a key has 1 to 50 characters"
    info = version.configuration.about(key)
    if info is not None and info.has_page:
        return f"{info.key} is changed under “Security”"
    if wrong := wrong_with(info, value, values):
        return f"{key}: {wrong}"
    return ""


def danger_of(charge_point: ChargePoint, key: str, row: ConfigurationKey | None) -> str:
    """What has to be confirmed before this key is changed, a sentence each; empty: nothing."""
    found = [version_of(charge_point.subprotocol).configuration.danger(key)]
    if row is not None and row.readonly:
        found.append("The charger reports it as read-only, and will probably refuse.")
    profile = quirks_of(charge_point)
    if is_unsafe(profile, key):
        found.append(key_note(profile, key) or f"It is known to cause trouble: {profile.facts}")
    return " ".join(filter(None, found))


def is_unsafe(profile: QuirkProfile, key: str) -> bool:
    """True if this key is neither written nor read back without a person's word."""
    return key.strip().lower() in {name.lower() for name in profile.unsafe_keys}


def key_note(profile: QuirkProfile, key: str) -> str:
    """What is known of this key at this make, for people; empty: nothing."""
    for text in profile.key_notes:
        name, _, said = text.partition(":")
        if name.strip().lower() == key.strip().lower():
            return f"{profile.title}: {said.strip()}"
    return ""


def values_of(charge_point: ChargePoint, *, spelled: bool = False) -> dict[str, str | None]:
    """The values in effect, by key in lower case; `spelled`: as the charger spells it."""
    rows = ConfigurationKey.objects.filter(charge_point=charge_point, is_unknown=False)
    return {
        row.key if spelled else row.name: row.value_now(charge_point.booted_at)
        for row in rows.order_by("name")
    }


def asked_in_portions(
    version: Version, keys: Sequence[str], values: Mapping[str, str | None]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The Calls that ask for these keys: no more at once than the charger takes."""
    told = (values.get(version.configuration.most_asked.lower()) or "").strip()
    most = int(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0
    most = most or USUAL_MOST
    for at in range(0, len(keys), most):
        yield version.configuration.ask(list(keys[at : at + most]))
