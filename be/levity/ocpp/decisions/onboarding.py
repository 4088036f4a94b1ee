"""Whether charge points that are not on the list are added when they connect: anyone who reaches
the port can add some, unless there are keys, or somebody stopped admitting new ones."""

import ipaddress
import os

from django.db import transaction
from django.utils import timezone

from levity.ocpp.audit import Who, note, person
from levity.ocpp.conf import setting
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.models import Installation
from levity.ocpp.models.installation import ONLY
from levity.ocpp.visibility import is_limited

__all__ = ["close", "is_open_to_all", "may_close", "state", "why_outside"]

# Names that nobody outside can look up (RFC 6762, RFC 8375, RFC 6761, and what routers make up).
_INSIDE = (
    "local",
    "lan",
    "home",
    "internal",
    "localdomain",
    "arpa",
    "test",
    "example",
    "invalid",
    "ip",
    "corp",
    "private",
    "intranet",
)
# The same of routers that many homes have, below endings that are public by now.
_ROUTERS = (".fritz.box", ".easy.box", ".o2.box")


def state() -> Installation:
    """What was decided and seen so far; not stored while that is nothing."""
    return Installation.objects.filter(pk=ONLY).first() or Installation(pk=ONLY)


def is_open_to_all(seen: Installation) -> bool:
    """True where a charge point that nobody knows adds itself, without a key."""
    if setting("OCPP_SECURITY_PROFILE") or setting("OCPP_UNKNOWN_CHARGE_POINTS") == "reject":
        return False
    return seen.closed_at is None


def why_outside(seen: Installation) -> str:
    """By what we know that others than this network reach us; "" where nothing says so."""
    if seen.outside_seen_at is not None:
        return f"a request came from {seen.outside_address}, a public address"
    for name in os.environ.get("HOSTNAME", "").replace(",", " ").split():
        if _is_public_name(name.lower().strip("[]")):
            return f"HOSTNAME is {name}, a public name"
    return ""


def close(who: Who, *, closed: bool) -> Installation:
    """Let no new charge points in from now on, or let them in again; of all sites at once."""
    if not may_close(who):
        raise NotAllowed("only a user of all sites who may change charge points can do that")
    word = "stopped" if closed else "resumed"
    with transaction.atomic():
        row = Installation.get()
        row.closed_at, row.closed_by = (timezone.now(), person(who)) if closed else (None, None)
        row.save(update_fields=["closed_at", "closed_by"])
        note(who, [row], f"{word} admitting new charge points")
    return row


def may_close(who: Who) -> bool:
    """Who may change charge points of all sites."""
    return who is None or bool(who.has_perm("ocpp.change_chargepoint") and not is_limited(who))


def _is_public_name(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_global
    except ValueError:
        bare = name.strip(".")
        inside = bare.rpartition(".")[2] in _INSIDE or f".{bare}".endswith(_ROUTERS)
        return "." in bare and not inside
