"""A charger that was refused is let in: it gets a row, a security profile and a key."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.chargers.security import keys
from levity.ocpp.chargers.security.reasons import reason
from levity.ocpp.conf import setting
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.decisions.keys import WITH_KEY, forget_guesses, has_key, keep_digest
from levity.ocpp.models import ChargePoint, RefusedHandshake, SecurityProfile, Site
from levity_ws.edge.target import is_identity
from levity_ws.frozen import frozen

__all__ = [
    "KEEP",
    "NEW",
    "NONE",
    "PERMISSIONS",
    "PRESENTED",
    "Adopted",
    "CannotAdopt",
    "adopt",
    "fitting_profile",
    "is_adoptable",
    "is_short",
    "known_as",
]

PERMISSIONS = ("ocpp.add_chargepoint", "ocpp.change_credential")
PRESENTED, NEW, KEEP, NONE = "presented", "new", "keep", "none"
"""Which key it has then: the one that it came with, a new one, the one that is set, or none."""


class CannotAdopt(NotPossible):
    """This is no charger that can be let in so."""


@frozen
class Adopted:
    """A charge point that may connect now."""

    charge_point: ChargePoint
    key: str
    """The new key, told this once; empty if there is no new one."""
    is_new: bool


def adopt(
    item: RefusedHandshake,
    profile: int,
    key: str,
    who: Who,
    *,
    name: str = "",
    site: Site | None = None,
    allow_short: bool = False,
) -> Adopted:
    """Let it in with this security profile and `key` (PRESENTED, NEW, KEEP or NONE).

    `name` and `site` are for one that is not known yet. Raises `CannotAdopt`.
    """
    check(item, who, *PERMISSIONS)
    if site is not None:
        check(site, who)
    if not is_adoptable(item):
        raise CannotAdopt(f"this can't be adopted: {reason(item.reason).hint}")
    known = known_as(item)
    if known is not None:
        check(known, who)
    wanted = SecurityProfile(profile)
    _check_key(item, known, wanted, key, allow_short=allow_short)
    told = keys.new_key() if key == NEW else ""
    digest = item.key_digest if key == PRESENTED else keys.digest_of(told.encode()) if told else ""
    row = known or ChargePoint(identity=item.identity, name=name, site=site)
    before = {"security_profile": row.security_profile} if known else {}
    row.security_profile, row.profile_since = wanted, timezone.now()
    try:
        with transaction.atomic():
            row.save(update_fields=["security_profile", "profile_since"] if known else None)
            if digest:
                keep_digest(row, digest, allow_short=allow_short)
            forget_guesses(row.identity)
            same = RefusedHandshake.objects.filter(identity__iexact=item.identity)
            same.filter(address=item.address).delete()
            said = f"adopted from {item.address} with security profile {int(wanted)}"
            note(who, [row], said, before, {"security_profile": int(wanted)})
    except IntegrityError as error:
        raise CannotAdopt("it has been registered meanwhile; reload the page") from error
    return Adopted(row, told, known is None)


def is_adoptable(item: RefusedHandshake) -> bool:
    """True if this can be a charger of ours, and a key or a row is what it lacks."""
    return reason(item.reason).adoptable and is_identity(item.identity)


def known_as(item: RefusedHandshake) -> ChargePoint | None:
    """The charge point of that identity."""
    return ChargePoint.objects.filter(identity__iexact=item.identity).first()


def is_short(item: RefusedHandshake) -> bool:
    """True if the key that it came with is too short to be one."""
    return item.key_length is not None and item.key_length < keys.SHORTEST


def fitting_profile(item: RefusedHandshake, known: ChargePoint | None) -> int:
    """What it came with; never less than what it has, or than what new ones begin with."""
    came_with = SecurityProfile.OPEN
    if item.key_digest or item.reason == "no-key":
        came_with = SecurityProfile.BASIC_TLS if item.secure else SecurityProfile.BASIC
    least = known.security_profile if known else setting("OCPP_SECURITY_PROFILE")
    return max(int(came_with), least)


def _check_key(
    item: RefusedHandshake,
    known: ChargePoint | None,
    profile: SecurityProfile,
    key: str,
    *,
    allow_short: bool,
) -> None:
    if key not in (PRESENTED, NEW, KEEP, NONE):
        raise CannotAdopt(f"there is no choice of a key called {key!r}")
    if profile in WITH_KEY and key == NONE:
        raise CannotAdopt("this profile requires a key: choose one")
    if known and profile < known.security_profile:
        raise CannotAdopt(
            f"its profile is {known.security_profile}. Lower it on its page “Security”"
        )
    if key == PRESENTED and not item.key_digest:
        raise CannotAdopt("it presented no key: choose another")
    if key == PRESENTED and is_short(item) and not allow_short:
        raise CannotAdopt(
            "the key that it presented is shorter than 16 bytes. Choose a new one, or “Allow a "
            "short or empty key” (in the API: allow_short)"
        )
    if key == KEEP and not (known and has_key(known)):
        raise CannotAdopt("no key is set here: choose another")
