"""What a charger keeps goes on in the one that takes its place: reservations, charging profiles.

The new hardware has neither. It is asked for both, and a charger that is not there yet when it
first connects.
"""

from datetime import datetime, timedelta

from django.db import transaction

from levity.ocpp.audit import Who, note
from levity.ocpp.commands.limits import limit_of
from levity.ocpp.commands.sending import send
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.charging_profiles import installed
from levity.ocpp.decisions.reservations import open_reservations, reserve
from levity.ocpp.models import ChargePoint, InstalledProfile, Reservation
from levity.ocpp.rules.asking import KeptProfile
from levity.ocpp.versions import version_of
from levity_ws.frozen import frozen

__all__ = ["WAIT", "TakenOver", "standing_profiles", "take_over"]

WAIT = timedelta(days=7)
"""For so long the orders wait for hardware that has not connected yet."""
SOURCE = "replacement"
OF_A_SESSION = "TxProfile"


@frozen
class TakenOver:
    """What the new charge point is asked for."""

    reservations: int = 0
    profiles: int = 0
    left: tuple[str, ...] = ()
    """What it is not asked for, and why: sentences for people."""

    @property
    def sentence(self) -> str:
        """What is asked for; empty if nothing is."""
        found = ((self.reservations, "reservation"), (self.profiles, "charging profile"))
        parts = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in found if count]
        if not parts:
            return ""
        return f"It is sent {' and '.join(parts)} of the old one, when it connects within 7 days."


def standing_profiles(charge_point: ChargePoint, now: datetime) -> list[InstalledProfile]:
    """Those that are for every session, and not over: limits of the charger among them."""
    return [
        item.profile
        for item in installed(charge_point, now)
        if item.profile.purpose != OF_A_SESSION
        and (item.profile.valid_to is None or item.profile.valid_to > now)
    ]


def take_over(old: ChargePoint, new: ChargePoint, who: Who, now: datetime) -> TakenOver:
    """Reserve at the new one what is reserved at the old, and send it the old one's profiles.

    Raises `NotAllowed` for somebody who may not send commands, where there is something to send.
    """
    left: list[str] = []
    reservations = sum(_reserve(row, new, who, now, left) for row in open_reservations(old, now))
    profiles = sum(_send(row, new, who, left) for row in standing_profiles(old, now))
    limit = limit_of(old)
    if profiles and limit.amperes is not None:
        # So that the maximum current is proved here, too.
        check = version_of(new.subprotocol).limits.check(limit.way)
        send(new, *check, who, source=SOURCE, expires_after=WAIT)
    return TakenOver(reservations, profiles, tuple(left))


def _reserve(row: Reservation, new: ChargePoint, who: Who, now: datetime, left: list[str]) -> bool:
    """True if the new one is asked; the old one holds nothing any more, either way."""
    ends_at = row.ends_at
    try:
        if ends_at is None:
            raise NotPossible("it has no end")
        with transaction.atomic():
            reserve(new, row.connector, row.id_tag, ends_at, who, source=SOURCE, wait=WAIT, now=now)
    except NotPossible as error:
        detail = f"not moved to {new.identity}: {error}"
        left.append(f"The reservation for {row.id_tag} is not moved: {error}")
    else:
        detail = f"moved to {new.identity}"
    row.state, row.ended_at, row.detail = Reservation.State.CANCELLED, now, detail[:255]
    row.save(update_fields=["state", "ended_at", "detail"])
    note(who, [row], detail[:255])
    return detail.startswith("moved")


def _send(row: InstalledProfile, new: ChargePoint, who: Who, left: list[str]) -> bool:
    kept = KeptProfile(
        connector=row.connector,
        number=row.profile_id,
        level=row.stack_level,
        purpose=row.purpose,
        kind=row.kind,
        recurrency=row.recurrency,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        schedule=row.schedule,
    )
    asked = version_of(new.subprotocol).asks.profile(kept)
    try:
        with transaction.atomic():
            send(new, *asked, who, source=SOURCE, expires_after=WAIT)
    except NotPossible as error:
        left.append(f"Charging profile {row.profile_id} is not sent: {error}")
        return False
    return True
