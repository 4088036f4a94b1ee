"""The bays: each connector with what goes on there, in two statements whatever their number."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import pgettext_lazy

from levity.ocpp.chargers.faults import is_fault
from levity.ocpp.models import ChargePoint, Connector, Transaction
from levity.ocpp.visibility import visible
from levity.pages.chargers.owners import with_owner
from levity.pages.kit.formats import ago, excerpt, written
from levity_ws.frozen import frozen

__all__ = ["MOST", "WORDS", "Bay", "bays", "cells", "counts"]

MOST = 1_000
"""So many are shown; a larger site has lists."""
WORDS = {
    "Available": (pgettext_lazy("bay", "Free"), "good"),
    "Preparing": (pgettext_lazy("bay", "Plugged in"), "wait"),
    "Charging": (pgettext_lazy("bay", "Charging"), "busy"),
    "SuspendedEV": (pgettext_lazy("bay", "Car takes nothing"), "wait"),
    "SuspendedEVSE": (pgettext_lazy("bay", "Paused by charger"), "wait"),
    "Finishing": (pgettext_lazy("bay", "Finished"), "wait"),
    "Reserved": (pgettext_lazy("bay", "Reserved"), "wait"),
    "Unavailable": (pgettext_lazy("bay", "Out of use"), "warn"),
    "Faulted": (pgettext_lazy("bay", "Fault"), "bad"),
}
"""What OCPP's words (7.7) mean to people, with the colour; others stand as they are."""
OFFLINE = (pgettext_lazy("bay", "Offline"), "off")
SILENT, UNKNOWN = (
    (pgettext_lazy("bay", "Silent"), "warn"),
    (pgettext_lazy("bay", "Unknown"), "plain"),
)
CHARGER = (
    *("pk", "identity", "name", "connection", "silent_since", "disconnected_at"),
    "created_at",
)
CONNECTOR = (
    *("charge_point_id", "evse", "number", "status", "status_since", "error_code"),
    "transaction_id",
)
RUNNING = ("pk", "energy", "power", "started_at", "id_tag", "owner")


@frozen
class Bay:
    """One connector, or a charge point that has told of none."""

    pk: int
    """The charge point's."""
    connector: int
    name: str
    number: str
    """Of the connector, where the charge point has several."""
    word: str
    tone: str
    code: str
    """OCPP's own word, or the error."""
    since: datetime | None
    power: Decimal | None = None
    """W; None: nothing is known."""
    wh: Decimal | None = None
    who: str = ""

    @property
    def kw(self) -> str:
        """Power, for people."""
        return "" if self.power is None else f"{written(self.power / 1000, 1)} kW"

    @property
    def kwh(self) -> str:
        """Energy so far, for people."""
        return "" if self.wh is None else f"{written(self.wh / 1000, 2)} kWh"

    @property
    def ago(self) -> str:
        """For how long it has been so; the browser lets it grow."""
        return "" if self.since is None else ago(self.since, timezone.now())


def bays(user: Any) -> list[Bay]:
    """Of all charge points that this person sees, in the order of their names, at most `MOST`."""
    chargers = visible(ChargePoint.objects.filter(retired_at=None), user)
    rows = {row[0]: row[1:] for row in chargers.order_by("pk").values_list(*CHARGER)[:MOST]}
    outlets: dict[int, list[tuple[Any, ...]]] = {pk: [] for pk in rows}
    of_them = visible(Connector.objects.filter(charge_point__retired_at=None), user)
    for pk, *outlet in of_them.order_by("evse", "number").values_list(*CONNECTOR)[: 2 * MOST]:
        if pk in outlets:
            outlets[pk].append(tuple(outlet))
    running = _running(user) if user.has_perm("ocpp.view_transaction") else {}
    found = [
        bay
        for pk, charger in rows.items()
        for bay in _of_charger(pk, charger, outlets[pk], running)
    ]
    found.sort(key=lambda bay: (_natural(bay.name), bay.pk, bay.connector))
    return found[:MOST]


def cells(found: Iterable[Bay]) -> str:
    """The bays as a page shows them: short, for they are sent every ten seconds."""
    place = reverse("levity:ocpp_chargepoint_change", args=[0])
    return format_html_join(
        "",
        '<a class="lv-bay lv-{}" data-key="{}.{}" href="{}">'
        "<b>{}{}</b><i{}>{}</i>{}<em>{}{}</em></a>",
        (_parts(bay, place) for bay in found),
    )


def _parts(bay: Bay, place: str) -> tuple[Any, ...]:
    number = format_html(" <small>{}</small>", bay.number) if bay.number else ""
    title = excerpt(bay.code, 40) if bay.code != bay.word else ""
    charged = ""
    if bay.wh is not None:
        charged = format_html("<span>{}</span><span>{}</span>", bay.kw, bay.kwh)
    return (
        *(bay.tone, bay.pk, bay.connector, place.replace("/0/", f"/{bay.pk}/")),
        *(excerpt(bay.name, 24), number),
        format_html(' title="{}"', title) if title else "",
        *(excerpt(bay.word, 20), charged, bay.ago),
        excerpt(f" · {bay.who}", 23) if bay.who else "",
    )


def counts(found: Iterable[Bay]) -> list[tuple[str, str, int]]:
    """(word, colour, how many), the most first."""
    counted = Counter((bay.word, bay.tone) for bay in found)
    return [(word, tone, count) for (word, tone), count in counted.most_common()]


def _running(user: Any) -> dict[int, tuple[Any, ...]]:
    rows = visible(Transaction.objects.filter(state=Transaction.State.ACTIVE), user)
    found = with_owner(rows, user).order_by("-pk").values_list(*RUNNING)[: 2 * MOST]
    return {row[0]: row[1:] for row in found}


def _of_charger(
    pk: int,
    charger: tuple[Any, ...],
    outlets: list[tuple[Any, ...]],
    running: dict[int, tuple[Any, ...]],
) -> Iterator[Bay]:
    identity, name, connection, silent_since, disconnected_at, created_at = charger
    shown = [outlet for outlet in outlets if outlet[1]]
    # Connector 0 is the charge point as a whole: where it is not well, none of them is.
    whole = next((outlet for outlet in outlets if not outlet[1]), None)
    failing = whole is not None and is_fault(whole[2], whole[4])
    for outlet in shown or [(0, 0, "", None, "", None)]:
        _evse, number, status, since, error, transaction = outlet
        if failing and whole is not None:
            status, since, error = whole[2], whole[3], whole[4]
        is_bad = is_fault(status, error)
        word, tone = WORDS.get(status, (status, "plain")) if status else UNKNOWN
        code = error if is_bad and error not in ("", "NoError") else status
        if is_bad:
            word, tone = WORDS["Faulted"]
        if connection is None:
            (word, tone), since = OFFLINE, disconnected_at or created_at
        elif silent_since is not None:
            (word, tone), since = SILENT, silent_since
        session = running.get(transaction) if transaction else None
        energy, power, started_at, id_tag, owner = session or (None, None, None, "", "")
        is_live = connection is not None and silent_since is None
        yield Bay(
            pk,
            number,
            name or identity,
            str(number) if len(shown) > 1 else "",
            str(word),
            tone,
            code,
            started_at if started_at is not None and is_live and not is_bad else since,
            power if is_live else None,
            energy,
            owner or id_tag,
        )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """So that bay 9 comes before bay 10."""
    parts = ("".join(group) for _, group in groupby(name.casefold()[:60], str.isdecimal))
    return [
        (0, int(part), "") if part.isdecimal() and len(part) < 20 else (1, 0, part)
        for part in parts
    ]
