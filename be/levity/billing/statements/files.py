"""The files of closed statements: made once, kept with their SHA-256, opened again as those bytes.

PDF files are made in a child process, a portion at a time: what makes pages takes memory that this
process would never give back.
"""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

import levity
from levity.billing.models import Statement, StatementFile, StatementRun
from levity.billing.statements.table import csv_of
from levity.writing import Worded
from levity_ws.frozen import frozen

__all__ = [
    "EARLIEST",
    "KINDS",
    "PORTION",
    "DamagedFile",
    "NoFile",
    "content_of",
    "make_missing",
    "missing",
    "name_of_file",
    "zip_of",
]

KINDS = ("csv", "pdf")
PORTION = 20
PATIENCE = 120.0
"""Seconds for a portion."""
HOPELESS = 3
CHILD = "levity.billing.statements.pdf"
EARLIEST = (1980, 1, 1, 0, 0, 0)


NOT_MADE = gettext_noop("the PDF files could not be made: %(error)s")


class NoFile(Worded):
    """A file could not be made; the text says why."""


class DamagedFile(Worded):
    """A stored file is not what was stored."""


@frozen
class _Made:
    statement: int
    kind: str
    content: bytes


def missing(run: StatementRun | None = None) -> Any:
    """Statements of which files are yet to be made."""
    rows = Statement.objects.filter(files__isnull=True)
    return rows.filter(run=run) if run is not None else rows


def make_missing(statements: Iterable[Statement]) -> int:
    """Make and store the files of these statements; how many statements that were. Raises `NoFile`
    if some can't be made, after all others were."""
    done = 0
    failed: NoFile | None = None
    for portion in _portions(list(statements)):
        try:
            done += _make(portion)
        except NoFile as error:
            failed = error
            done += _make_each(portion if len(portion) > 1 else ())
    if failed is not None:
        raise failed
    return done


def _make_each(portion: Sequence[Statement]) -> int:
    """One alone keeps no other from its files; if the first few fail, it is none of them."""
    done = failed = 0
    for each in portion:
        try:
            done += _make([each])
        except NoFile:
            failed += 1
            if failed >= HOPELESS and not done:
                break
    return done


def _make(portion: Sequence[Statement]) -> int:
    made = [_Made(each.pk, "csv", csv_of(each.document)) for each in portion]
    pages = _pdfs([each.document for each in portion])
    made += [_Made(each.pk, "pdf", page) for each, page in zip(portion, pages, strict=True)]
    with transaction.atomic():
        # Whoever made them first has made them.
        StatementFile.objects.bulk_create(
            [
                StatementFile(
                    statement_id=each.statement,
                    kind=each.kind,
                    sha256=sha256(each.content).hexdigest(),
                    content=each.content,
                )
                for each in made
            ],
            ignore_conflicts=True,
        )
    return len(portion)


def content_of(statement: Statement, kind: str) -> bytes:
    """The stored bytes; made now if they are not there yet. Raises `NoFile`, and `DamagedFile` if
    they are not those that were stored."""
    if not statement.files.filter(kind=kind).exists():
        make_missing([statement])
    file = statement.files.get(kind=kind)
    content = bytes(file.content)
    if sha256(content).hexdigest() != file.sha256:
        raise DamagedFile(
            gettext_noop("%(file)s is not what was stored: restore a backup"),
            file=f"{statement}.{kind}",
        )
    return content


def zip_of(run: StatementRun) -> bytes:
    """All files of a run; the same bytes each time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        rows = run.statements.order_by("pk")
        if rows.filter(files__isnull=True).exists():
            make_missing(rows.filter(files__isnull=True))
        for statement in rows.defer("document").iterator(chunk_size=PORTION):
            for kind in KINDS:
                name = zipfile.ZipInfo(f"{name_of_file(statement.label)}.{kind}", EARLIEST)
                name.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(name, content_of(statement, kind))
    return target.getvalue()


def name_of_file(label: str) -> str:
    """A statement's number as part of a file's name."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in label)


def _portions(rows: Sequence[Statement]) -> Iterator[Sequence[Statement]]:
    for at in range(0, len(rows), PORTION):
        yield rows[at : at + PORTION]


def _pdfs(documents: Sequence[dict[str, Any]]) -> list[bytes]:
    lines = b"".join(json.dumps(document).encode() + b"\n" for document in documents)
    folder = str(Path(levity.__file__).parent.parent)
    try:
        # Nothing of the command comes from outside.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", CHILD],
            input=lines,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            # Where the interpreter looks for modules first.
            cwd=folder,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoFile(NOT_MADE, error=error) from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise NoFile(NOT_MADE, error=last)
    return list(_split(done.stdout))


def _split(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = int(data[at : at + 8], 16)
        yield data[at + 8 : at + 8 + length]
        at += 8 + length
