"""Files for accountants of closed statements: made by a child process, and electronic invoices
stored with their SHA-256 beside the statement's other files."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

import levity
from levity.billing.accounting.parties import creditor_of
from levity.billing.models import Creditor, Debtor, Statement, StatementFile
from levity.billing.statements.files import PORTION, content_of
from levity.ocpp.deciding import NotPossible

__all__ = ["INVOICES", "ask_child", "invoices_of", "need_extras"]

INVOICES = {"xrechnung": ("xr", "xml"), "facturx": ("fx", "pdf")}
"""What people ask for -> kind of the stored file, and how the name of the file ends."""
CHILD = "levity.billing.accounting.child"
PATIENCE = 300.0
"""Seconds for a portion."""
EXTRAS = ("drafthorse", "facturx", "sepaxml")
NEEDED = gettext_noop(
    "this file needs packages that are not installed: start Levity by `make run EXTRAS=accounting`,"
    " or install them by `pip install 'levity[accounting]'`"
)


NOT_MADE = gettext_noop("the files could not be made: %(error)s")


def need_extras() -> None:
    """Raise `NotPossible`, with what to do, unless `levity[accounting]` is installed."""
    if any(find_spec(name) is None for name in EXTRAS):
        raise NotPossible(NEEDED)


def invoices_of(statements: Sequence[Statement], what: str) -> Iterator[tuple[Statement, bytes]]:
    """Each statement as an electronic invoice: as it was stored, or made and stored now. Raises
    `NotPossible` with the number of the first that can't be made, and why."""
    kind, _ = INVOICES[what]
    for at in range(0, len(statements), PORTION):
        portion = statements[at : at + PORTION]
        stored = set(
            StatementFile.objects.filter(statement__in=portion, kind=kind).values_list(
                "statement", flat=True
            )
        )
        if missing := [each for each in portion if each.pk not in stored]:
            _make(missing, what)
        for each in portion:
            yield each, content_of(each, kind)


def _make(statements: Sequence[Statement], what: str) -> None:
    need_extras()
    kind, _ = INVOICES[what]
    debtors = {
        row.household_id: row
        for row in Debtor.objects.filter(household__in={each.household_id for each in statements})
    }
    requests = []
    for each in statements:
        request = {
            "what": what,
            "document": each.document,
            "seller": _seller(creditor_of(each.run.issuer)),
            "buyer": _buyer(each, debtors.get(each.household_id)),
        }
        if what == "facturx":
            request["pdf"] = base64.b64encode(content_of(each, "pdf")).decode()
        requests.append(request)
    made = list(ask_child(requests, [each.label for each in statements]))
    # Whoever made them first has made them.
    StatementFile.objects.bulk_create(
        [
            StatementFile(
                statement=each, kind=kind, sha256=sha256(content).hexdigest(), content=content
            )
            for each, content in zip(statements, made, strict=True)
        ],
        ignore_conflicts=True,
    )


def ask_child(requests: Sequence[dict[str, Any]], names: Sequence[str]) -> Iterator[bytes]:
    """What the child makes of each; `NotPossible` with its sentence, and whose request it was."""
    lines = b"".join(json.dumps(request).encode() + b"\n" for request in requests)
    try:
        # Nothing of the command comes from outside.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", CHILD],
            input=lines,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            cwd=str(Path(levity.__file__).parent.parent),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotPossible(NOT_MADE, error=error) from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise NotPossible(NOT_MADE, error=last)
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        answer = json.loads(line)
        if "missing" in answer:
            raise NotPossible(NEEDED)
        if "problem" in answer:
            raise NotPossible(answer["problem"], about=name, **answer["words"])
        yield base64.b64decode(answer["content"])


def _seller(row: Creditor) -> dict[str, Any]:
    return {
        **_address(row),
        "email": row.email,
        "contact": row.contact,
        "phone": row.phone,
        "creditor_id": row.creditor_id,
        "due_days": row.due_days,
        "exemption": row.exemption or "-",
    }


def _buyer(statement: Statement, row: Debtor | None) -> dict[str, Any]:
    household = statement.household
    found = row or Debtor(household=household)
    return {
        **_address(found),
        "email": household.email,
        "reference": found.reference or str(household.pk),
        "mandate": found.mandate,
    }


def _address(row: Creditor | Debtor) -> dict[str, str]:
    return {name: getattr(row, name) for name in ("street", "postcode", "city", "country", "iban")}
