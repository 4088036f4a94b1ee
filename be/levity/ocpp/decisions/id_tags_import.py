"""Id tags from a file into the database: all of its lines, or the good ones."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower

from levity.ocpp.audit import Noted
from levity.ocpp.decisions.id_tag_values import same_card
from levity.ocpp.decisions.id_tags_csv import BATCH, Line, Problem, read_lines
from levity.ocpp.decisions.spreadsheet_files import (
    decode,
)
from levity.ocpp.models import IdTag
from levity.ocpp.rules.id_tags import spellings

__all__ = [
    "Imported",
    "import_file",
    "import_lines",
]


@dataclass(slots=True)
class Imported:
    """What an import did, or would do."""

    created: int = 0
    updated: int = 0
    problems: list[Problem] = field(default_factory=list)
    changes: list[Noted] = field(default_factory=list)
    """What was done to each tag, for the audit."""
    notes: list[str] = field(default_factory=list)
    """What was assumed, and what a person should look at."""
    done: bool = False
    """False: nothing was written, for it was a trial or a line was wrong."""


def import_file(data: bytes, **rules: bool) -> Imported:
    """`import_lines` of a file as it is, whatever saved it; the notes say what was assumed."""
    decoded = decode(data)
    imported = import_lines(io.StringIO(decoded.text, newline=""), **rules)
    if decoded.note:
        imported.notes.insert(0, str(decoded.note))
    return imported


def import_lines(
    lines: Iterable[str],
    *,
    update: bool = False,
    skip_errors: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Add the tags of this CSV, all or (with `skip_errors`) the good ones; raises `BadFile`.

    `update`: tags that are known get the columns that the file has. Case does not count.
    """
    with transaction.atomic():
        imported = Imported()
        read = list(read_lines(lines, imported.problems, imported.notes))
        keys = {line.id_tag.lower() for line in read}
        parents = {line.parent.lower() for line in read if line.parent}
        known = _known(keys | parents)
        good = []
        for line in read:
            if line.id_tag.lower() in known and not update:
                said = f"id tag {line.id_tag!r} already exists"
                imported.problems.append(Problem(line.number, said, is_known=True))
            else:
                good.append(line)
        good = _with_parents(good, known, imported.problems)
        imported.notes += _written_otherwise(good, known)
        imported.problems.sort(key=lambda item: item.line)
        imported.created = sum(line.id_tag.lower() not in known for line in good)
        imported.updated = len(good) - imported.created
        if dry_run or (imported.problems and not skip_errors):
            return imported
        imported.changes = _write(good, known)
        imported.done = True
    return imported


def _written_otherwise(lines: list[Line], known: Mapping[str, IdTag]) -> list[str]:
    """Cards that stand in the list twice, with and without colons: a charger sends one of them."""
    new = {line.id_tag.lower(): line for line in lines if line.id_tag.lower() not in known}
    others = {key: same_card(line.id_tag) for key, line in new.items()}
    there = {**_known(set[str]().union(*others.values())), **known} if others else known
    notes = []
    for key, line in new.items():
        twins = [there[other].id_tag for other in others[key] if other in there]
        twins += [new[other].id_tag for other in others[key] if other in new and other < key]
        notes += [
            f"Line {line.number}: {line.id_tag!r} and {twin!r} look like the same card in two "
            "spellings. They count as two tags here: keep the one that your chargers send (see "
            "Messages, Authorize)."
            for twin in twins
        ]
    return notes


def _with_parents(
    lines: list[Line], known: Mapping[str, IdTag], problems: list[Problem]
) -> list[Line]:
    """Without those whose parent is neither recorded nor in a good line."""
    while True:
        there = {line.id_tag.lower() for line in lines} | set(known)
        lost = [line for line in lines if line.parent and line.parent.lower() not in there]
        if not lost:
            return lines
        problems += [Problem(line.number, f"unknown parent {line.parent!r}") for line in lost]
        gone = {line.number for line in lost}
        lines = [line for line in lines if line.number not in gone]


def _known(keys: Iterable[str]) -> dict[str, IdTag]:
    found: dict[str, IdTag] = {}
    wanted = sorted(set[str]().union(*map(spellings, keys)))
    for start in range(0, len(wanted), BATCH):
        rows = IdTag.objects.annotate(key=Lower("id_tag")).select_for_update(of=("self",))
        for tag in rows.filter(key__in=wanted[start : start + BATCH]):
            found[tag.id_tag.lower()] = tag
    return found


def _write(lines: list[Line], known: dict[str, IdTag]) -> list[Noted]:
    before = _figures(lines, known)
    new, changed = [], []
    for line in lines:
        tag = known.get(line.id_tag.lower())
        if tag is None:
            tag = known[line.id_tag.lower()] = IdTag(id_tag=line.id_tag)
            new.append(tag)
        else:
            changed.append(tag)
        for name, value in line.values.items():
            setattr(tag, name, value)
    IdTag.objects.bulk_create(new, batch_size=BATCH)
    for line in lines:
        if line.parent is not None:
            tag = known[line.id_tag.lower()]
            tag.parent = known[line.parent.lower()] if line.parent else None
    IdTag.objects.bulk_update(
        [*changed, *new],
        ["status", "expires_at", "parent", "owner", "max_transactions", "notes", "type"],
        batch_size=BATCH,
    )
    allowed = IdTag.charge_points.through
    placed = [line for line in lines if line.places is not None]
    ids = [known[line.id_tag.lower()].pk for line in placed]
    for start in range(0, len(ids), BATCH):
        allowed.objects.filter(idtag__in=ids[start : start + BATCH]).delete()
    allowed.objects.bulk_create(
        [
            allowed(idtag_id=known[line.id_tag.lower()].pk, chargepoint_id=pk)
            for line in placed
            for pk in dict.fromkeys(line.places or ())
        ],
        batch_size=BATCH,
    )
    return list(_changes(lines, known, before))


def _figures(lines: list[Line], known: Mapping[str, IdTag]) -> dict[str, dict[str, Any]]:
    """What the columns of the file are now, by tag in lower case; nothing of a tag that is new."""
    placed = [known[line.id_tag.lower()].pk for line in lines if _is_placed(line, known)]
    places: dict[int, list[str]] = {pk: [] for pk in placed}
    for start in range(0, len(placed), BATCH):
        rows = IdTag.charge_points.through.objects.filter(idtag__in=placed[start : start + BATCH])
        for pk, identity in rows.order_by("chargepoint__identity").values_list(
            "idtag_id", "chargepoint__identity"
        ):
            places[pk].append(identity)
    found = {}
    for line in lines:
        tag = known.get(line.id_tag.lower())
        if tag is None:
            continue
        values = {name: getattr(tag, name) for name in line.values}
        if line.parent is not None:
            values["parent"] = tag.parent_id
        if line.places is not None:
            values["charge_points"] = places[tag.pk]
        found[line.id_tag.lower()] = values
    return found


def _is_placed(line: Line, known: Mapping[str, IdTag]) -> bool:
    return line.places is not None and line.id_tag.lower() in known


def _changes(
    lines: list[Line], known: Mapping[str, IdTag], before: Mapping[str, Mapping[str, Any]]
) -> Iterator[Noted]:
    """Of each tag that is new or another now; of notes only that they changed."""
    after = _figures(lines, known)
    for line in lines:
        key = line.id_tag.lower()
        was, now = before.get(key), after[key]
        if was is None:
            yield Noted(known[key], "added by a CSV import", {}, _without_notes(now))
            continue
        names = [name for name in now if now[name] != was[name]]
        if names:
            yield Noted(
                known[key],
                f"changed by a CSV import: {', '.join(names)}",
                _without_notes({name: was[name] for name in names}),
                _without_notes({name: now[name] for name in names}),
            )


def _without_notes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "notes"}
