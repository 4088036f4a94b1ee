"""Which id tags the local list of a charger should have, for many chargers at once."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from levity.ocpp.models import IdTag
from levity.ocpp.rules.local_list import Entries, Entry
from levity_ws.frozen import frozen

__all__ = ["Wanted", "entries_of", "text_of", "wanted_by"]

LONGEST = 20
"""OCPP 1.6, 7.28: CiString20Type."""
# A tag that was forgotten; see `decisions.forgetting`.
FORGOTTEN = "gone-"


@frozen
class Wanted:
    """The entries that a charger should have, and how many tags it can't take."""

    entries: Entries
    left_out: int = 0


def wanted_by(
    charge_points: Collection[int], most: Mapping[int, int | None], now: datetime
) -> dict[int, Wanted]:
    """By charge point, in two queries however many they are.

    `most`: how many entries a charger takes; None if it did not say. Accepted tags go first.
    Tags that wait for approval are not listed, nor those that may charge elsewhere only.
    """
    places: dict[int, set[int]] = {}
    for tag_id, pk in IdTag.charge_points.through.objects.values_list("idtag_id", "chargepoint_id"):
        places.setdefault(tag_id, set()).add(pk)
    everywhere: dict[str, Entry] = {}
    at: dict[int, dict[str, Entry]] = {}
    too_long = 0
    rows = IdTag.objects.exclude(status=IdTag.Status.RECORDED).order_by("id_tag")
    columns = ("pk", "id_tag", "status", "expires_at")
    parents = ("parent__id_tag", "parent__status", "parent__expires_at")
    for pk, tag, status, expires_at, parent, of_parent, parent_ends in rows.values_list(
        *columns, *parents
    ).iterator():
        if tag.startswith(FORGOTTEN):
            continue
        if len(tag) > LONGEST:
            too_long += 1
            continue
        ends = min(filter(None, (expires_at, parent_ends)), default=None)
        verdict = "Accepted"
        if IdTag.Status.BLOCKED in (status, of_parent):
            verdict = "Blocked"
        elif ends is not None and ends <= now:
            verdict = "Expired"
        group = parent if parent and len(parent) <= LONGEST else ""
        moment = ends.replace(microsecond=0) if ends is not None else None
        entry = Entry(verdict, moment, group)
        if pk not in places:
            everywhere[tag] = entry
        for place in places.get(pk, ()):
            at.setdefault(place, {})[tag] = entry
    return {
        pk: _fitting({**everywhere, **at.get(pk, {})}, most.get(pk), too_long)
        for pk in charge_points
    }


def _fitting(entries: dict[str, Entry], most: int | None, too_long: int) -> Wanted:
    if most is None or len(entries) <= most:
        return Wanted(entries, too_long)
    ranked = sorted(entries, key=lambda tag: (entries[tag].status != "Accepted", tag))
    return Wanted(
        {tag: entries[tag] for tag in ranked[:most]}, too_long + len(entries) - max(most, 0)
    )


def text_of(entries: Entries) -> str:
    """The entries as their column has them."""
    return json.dumps(
        {
            tag: [entry.status, entry.expires_at and entry.expires_at.timestamp(), entry.parent]
            for tag, entry in entries.items()
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def entries_of(text: str) -> Entries:
    """What the column says."""
    return {
        tag: Entry(status, None if ends is None else datetime.fromtimestamp(ends, UTC), parent)
        for tag, (status, ends, parent) in json.loads(text or "{}").items()
    }
