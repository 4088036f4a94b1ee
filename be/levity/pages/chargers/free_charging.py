"""Where everybody may charge without a card: there, blocking a card stops nobody."""

from typing import Any

from django.db.models import Exists, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.html import format_html, format_html_join

from levity.ocpp.conf import setting
from levity.ocpp.models import Authorization, ChargePoint, Site
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import change_link, list_url

__all__ = ["open_anywhere", "rule_in_force", "void_block"]

NAMED = 5


def _open() -> QuerySet[ChargePoint]:
    """Charge points in use at which the rule in force is `anonymous`, wherever it is set."""
    free = Authorization.ANONYMOUS
    by_default = Q(site__isnull=True) | Q(site__authorization="")
    inherited = Q(site__authorization=free)
    if setting("OCPP_AUTHORIZATION") == free:
        inherited |= by_default
    return ChargePoint.objects.filter(
        Q(authorization=free) | (Q(authorization="") & inherited), retired_at__isnull=True
    )


def open_anywhere(user: Any) -> Exists:
    """For a list: whether there is one that this person may see; a part of its one query."""
    return Exists(visible(_open(), user))


def rule_in_force() -> str:
    """For the page of a card: what is asked of whoever plugs in, and where that is set."""
    rows = list(_open().select_related("site").order_by(Lower("identity"))[: NAMED + 1])
    if not rows:
        return "A card is required everywhere."
    return format_html(
        "Anyone may charge without a card here: {}. Blocking this card does not prevent charging "
        "there. {}",
        _named(rows),
        _way(rows),
    )


def void_block() -> str:
    """For whoever has just blocked a card; empty if that is all there is to do."""
    rows = list(_open().select_related("site").order_by(Lower("identity"))[: NAMED + 1])
    if not rows:
        return ""
    return format_html(
        "Blocked, but anyone may charge without a card here ({}): blocking a card does not "
        "prevent charging there. {}",
        _named(rows),
        _way(rows),
    )


def _named(rows: list[ChargePoint]) -> str:
    links = format_html_join(
        ", ", "{}", ((change_link(ChargePoint, row.pk, str(row)),) for row in rows[:NAMED])
    )
    return format_html("{}{}", links, " and others" if len(rows) > NAMED else "")


def _way(rows: list[ChargePoint]) -> str:
    """Where the rule of these is set."""
    sites = {row.site.pk: row.site for row in rows if row.site and not row.authorization}
    ways = [change_link(Site, pk, f"on the page of {site}") for pk, site in sites.items()]
    if len(sites) < len(rows):
        everywhere = list_url(ChargePoint)
        ways.append(
            format_html(
                '<a class="lv-link" href="{}">in the list of charge points</a> (select them '
                "and choose “Known tags only”)",
                everywhere,
            )
        )
    return format_html(
        "To require a card, set “known tags only” {}.",
        format_html_join(" or ", "{}", ((w,) for w in ways)),
    )
