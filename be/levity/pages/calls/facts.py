"""What a form offers of the charger's own: its connectors, sessions, id tags and time zone."""

from datetime import tzinfo
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils import timezone

from levity.ocpp.conf import setting
from levity.ocpp.decisions.sessions import told_id
from levity.ocpp.models import ChargePoint, IdTag, Transaction
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import NOTHING, UNKNOWN_PAYER, site_zone

__all__ = ["LISTED", "Facts", "tags_like"]

# Connectors, running sessions and id tags that a box offers.
LISTED = 100
# For several charge points at once, whose connectors differ.
USUAL = 8


class Facts:
    """Asked for when a field needs them: each costs one query, however much there is.

    Without a charge point: for several at once.
    """

    def __init__(self, charge_point: ChargePoint | None, user: Any = None) -> None:
        self.charge_point = charge_point
        self.user = user

    @cached_property
    def zone(self) -> tzinfo:
        """In which times are read and shown."""
        zone = site_zone(self.charge_point) if self.charge_point else None
        return zone or timezone.get_current_timezone()

    @cached_property
    def connectors(self) -> list[tuple[int, str]]:
        """(number, how it is shown); a charger that said nothing yet has number 1."""
        if self.charge_point is None:
            return [(number, str(number)) for number in range(1, USUAL + 1)]
        found = self.charge_point.connectors.filter(number__gt=0).order_by("number")
        listed = found.values_list("number", "status")[: LISTED + 1]
        return [(number, f"{number}: {status or 'unknown'}") for number, status in listed] or [
            (1, "1")
        ]

    @cached_property
    def sessions(self) -> list[tuple[int, str]]:
        """(key, how it is shown) of those that run here, the newest first."""
        if self.charge_point is None:
            return []
        running = Transaction.objects.filter(
            charge_point=self.charge_point, state=Transaction.State.ACTIVE
        )
        return [
            (
                item.pk,
                f"#{item.pk}: connector {item.connector or NOTHING}, {_payer(item)}",
            )
            for item in running.order_by("-id")[: LISTED + 1]
        ]

    @cached_property
    def told_sessions(self) -> list[int | str]:
        """The number by which the charger knows the newest of them, if there is one."""
        if not self.sessions:
            return []
        return [told_id(Transaction.objects.get(pk=self.sessions[0][0]))]

    @cached_property
    def usual_tag(self) -> str:
        """With which charging starts by itself here, if it does."""
        return str(setting("OCPP_AUTO_REMOTE_START_ID_TAG") or "")

    @cached_property
    def tags(self) -> list[tuple[str, str]]:
        """(id tag, whose it is) of some that this person may see; a browser asks for more."""
        return tags_like("", self.user)


def tags_like(text: str, user: Any) -> list[tuple[str, str]]:
    """(id tag, whose it is), the first of those with this text in their number or owner."""
    if user is None or not user.has_perm("ocpp.view_idtag"):
        return []
    rows = visible(IdTag.objects.all(), user)
    if text:
        rows = rows.filter(Q(id_tag__icontains=text) | Q(owner__icontains=text))
    return list(rows.order_by("id_tag").values_list("id_tag", "owner")[:LISTED])


def _payer(item: Transaction) -> str:
    return item.id_tag or UNKNOWN_PAYER
