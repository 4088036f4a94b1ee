"""Numbers of statements, without gaps; and what is done about those that a restored database no
longer knows.

A number that was posted must never stand on another statement. A backup does not know the numbers
that were given after it was made: they are written to a file beside the database, too, and after a
restore nothing is closed until a person has said which number was posted last. What is left out is
a documented gap.
"""

import json
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models import Issuer, NumberGap
from levity.installation import data_dir
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, NotPossible, check
from levity.ocpp.models import Installation
from levity.ocpp.visibility import is_limited

__all__ = ["after_restore", "confirm", "label", "must_confirm", "number_of", "remember"]

CHANGE = "billing.change_issuer"
FILE = "statement_numbers"
RESTORED = "given before the database was restored from a backup"
MOST = 1_000_000
"""A gap is never larger: more is a mistyped number."""


def label(issuer: Issuer, number: int) -> str:
    """As it is printed."""
    return f"{issuer.prefix}{number:06d}"


def number_of(issuer: Issuer, text: str) -> int:
    """The number of a label of this issuer, or of its digits alone. Raises `NotPossible`."""
    digits = text.strip().removeprefix(issuer.prefix)
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise NotPossible(
            gettext_noop("write the number as it is printed, such as %(number)s"),
            number=label(issuer, 12),
        )
    return int(digits)


def remember(issuer: Issuer, following: int) -> None:
    """Write beside the database which number comes next, for the case that it is restored."""
    known = _remembered()
    known[issuer.prefix] = max(following, known.get(issuer.prefix, 1))
    part = _file().with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        part.write_text(json.dumps(known))
        part.replace(_file())


def after_restore() -> list[str]:
    """Go on after all numbers that the file beside the database knows, right after a restore; a
    sentence for each issuer whose numbers somebody has to confirm before the next closing."""
    known = _remembered()
    sentences = []
    for issuer in Issuer.objects.order_by("pk"):
        following = known.get(issuer.prefix, 1)
        if following > issuer.next_number:
            with transaction.atomic():
                _go_on(issuer, following, None)
        sentences.append(
            f"Statements of {issuer}: the next number would be "
            f"{label(issuer, max(following, issuer.next_number))}. Before the next closing, say "
            "which was posted last: on the page where statements are closed, or by "
            "`levity statement_numbers --last NUMBER`."
        )
    return sentences


def must_confirm(issuer: Issuer) -> datetime | None:
    """When the database was restored, if nobody has said since which number was posted last."""
    restored = Installation.get().restored_at
    return restored if restored is not None and issuer.numbers_sure_at < restored else None


def confirm(issuer: Issuer, last: int, who: Who) -> Issuer:
    """`last` is the highest number that was posted: the next one follows it, and those that the
    database does not know become a gap with its reason."""
    check(issuer, who, CHANGE)
    if who is not None and is_limited(who):
        raise NotAllowed(gettext_noop("only a user of all sites may change who bills"))
    with transaction.atomic():
        rows = Issuer.objects.select_for_update(of=("self",), no_key=True)
        found = rows.select_related("site").get(pk=issuer.pk)
        if last + 1 < found.next_number:
            raise NotPossible(
                gettext_noop("%(number)s was given already: a number is never given twice"),
                number=label(found, found.next_number - 1),
            )
        if last + 1 - found.next_number > MOST:
            raise NotPossible(
                gettext_noop("that leaves out more than a million numbers: was it mistyped?")
            )
        _go_on(found, last + 1, who)
        found.numbers_sure_at = timezone.now()
        found.save(update_fields=["numbers_sure_at"])
        note(who, [found], f"numbers confirmed: {label(found, last)} was posted last")
    return found


def _go_on(issuer: Issuer, following: int, who: Who) -> None:
    if following <= issuer.next_number:
        return
    gap = NumberGap.objects.create(
        issuer=issuer,
        first=issuer.next_number,
        last=following - 1,
        reason=RESTORED,
        noted_by="" if who is None else who.get_username()[:150],
    )
    before = {"next_number": issuer.next_number}
    issuer.next_number = following
    issuer.save(update_fields=["next_number"])
    note(who, [issuer], f"numbers left out: {gap}", before, {"next_number": following})


def _file() -> Path:
    return data_dir() / FILE


def _remembered() -> dict[str, int]:
    try:
        known = json.loads(_file().read_text())
        return {str(prefix): int(number) for prefix, number in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
