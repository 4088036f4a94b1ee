"""Statements: closed runs, what each household pays, and closing a period."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import given, may, one, seen, unfit
from levity.api.kit.schemas import CONTENT, Body, Id, Page, Paged, Row, Text, Time
from levity.api.problems import Problem
from levity.billing.models import Issuer, Statement, StatementRun
from levity.billing.rules.money import written
from levity.billing.statements.checking import how_many_wait, waiting
from levity.billing.statements.closing import CLOSE, close, prepare
from levity.billing.statements.downloads import as_download
from levity.billing.statements.drafting import fingerprint
from levity.billing.statements.files import DamagedFile, NoFile, content_of, zip_of
from levity.billing.statements.numbers import confirm, number_of
from levity.ocpp.deciding import check

__all__ = ["router"]

router = Router(tags=["billing"])
Reading = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=3, allow_inf_nan=False)]


class IssuerRow(Row):
    """Who bills."""

    id: int
    name: str
    site: str | None = Field(description="Null: all sites that have no issuer of their own.")
    next_number: int = Field(description="Of the next statement.")

    @staticmethod
    def resolve_site(row: Any) -> str | None:
        """Its name."""
        return row.site.name if row.site else None


class LastNumber(Body):
    """The highest number that was posted."""

    last: Text = Field(min_length=1, max_length=40, description="As it is printed.")


class RunRow(Row):
    """The statements of a period, closed at once."""

    id: int
    issuer: str
    first_day: date
    last_day: date = Field(description="Included.")
    closed_at: Time
    closed_by: str
    balance: dict[str, Any] = Field(description="Wh: what the meters moved, and where it went.")

    @staticmethod
    def resolve_issuer(row: Any) -> str:
        """Its name."""
        return str(row.issuer.name)


class StatementFileRow(Row):
    """A file of a statement, stored once."""

    kind: str = Field(description="pdf or csv.")
    sha256: str


class StatementRow(Row):
    """What a household pays for a period."""

    id: int
    number: str
    run_id: int
    household_id: int
    household: str
    currency: str
    energy_wh: str
    net: str
    tax: str
    gross: str

    @staticmethod
    def resolve_number(row: Any) -> str:
        """As it is printed."""
        return str(row.label)

    @staticmethod
    def resolve_household(row: Any) -> str:
        """As it is called now."""
        return str(row.household)

    @staticmethod
    def resolve_energy_wh(row: Any) -> str:
        """Wh."""
        return str(row.wh)

    @staticmethod
    def resolve_net(row: Any) -> str:
        """Without tax."""
        return written(row.net, row.currency)

    @staticmethod
    def resolve_tax(row: Any) -> str:
        """Of all rates."""
        return written(row.tax, row.currency)

    @staticmethod
    def resolve_gross(row: Any) -> str:
        """With tax."""
        return written(row.gross, row.currency)


class WholeStatement(StatementRow):
    """With all that it says."""

    document: dict[str, Any] = Field(description="Sessions, bands, fees, taxes, sums.")
    files: list[StatementFileRow] = Field(description="Empty: made when one is asked for.")

    @staticmethod
    def resolve_files(row: Any) -> Any:
        """Those that are stored."""
        return row.files.order_by("kind").defer("content")


class Chosen(Paged):
    """Which statements."""

    run: Id | None = None
    household: Id | None = None


class Days(Body):
    """A period of an issuer."""

    issuer: Id
    first_day: date
    last_day: date = Field(description="Included.")


class ToClose(Days):
    """A period that is to be closed."""

    fingerprint: str = Field(
        min_length=1,
        max_length=64,
        description="Of the preview that was looked at; it must still be that one.",
    )
    house_meter_first_kwh: Reading | None = None
    house_meter_last_kwh: Reading | None = None


class DraftRow(Row):
    """A statement as it would be closed."""

    household_id: int
    household: str
    currency: str
    lines: int
    energy_wh: str
    net: str
    tax: str
    gross: str


class Preview(Row):
    """What would be closed, and what would be held back."""

    fingerprint: str
    held_back: dict[str, int] = Field(description="Sessions that wait, by reason.")
    statements: list[DraftRow]


@router.get("/billing/issuers", response=Page[IssuerRow])
def list_issuers(request: HttpRequest, asked: Query[Paged]) -> Any:
    """Who bills."""
    return page(seen(request, Issuer).select_related("site"), asked)


@router.post("/billing/issuers/{issuer_id}/numbers", response=IssuerRow)
def confirm_numbers(request: HttpRequest, issuer_id: Id, body: LastNumber) -> Any:
    """After a restore: say which number was posted last. The next statement follows it."""
    row = one(seen(request, Issuer).select_related("site"), pk=issuer_id)
    return confirm(row, number_of(row, body.last), principal(request))


@router.get("/billing/runs", response=Page[RunRow])
def list_statement_runs(request: HttpRequest, asked: Query[Paged]) -> Any:
    """Closed periods, the newest first."""
    return page(seen(request, StatementRun).select_related("issuer"), asked, newest_first=True)


@router.post("/billing/runs/preview", response=Preview)
def preview_statements(request: HttpRequest, body: Days) -> Any:
    """What would be closed. Stores no statement; sessions are priced once more."""
    may(request, CLOSE)
    issuer = _issuer(request, body.issuer)
    check(issuer, principal(request), CLOSE)
    period, drafts = prepare(issuer, body.first_day, body.last_day)
    return {
        "fingerprint": fingerprint(drafts),
        "held_back": how_many_wait(waiting(period, principal(request))),
        "statements": [
            {
                "household_id": draft.household.pk,
                "household": str(draft.household),
                "currency": draft.currency,
                "lines": len(draft.entries) + len(draft.fees),
                "energy_wh": str(draft.wh),
                "net": written(draft.sums.net, draft.currency),
                "tax": written(draft.sums.tax, draft.currency),
                "gross": written(draft.sums.gross, draft.currency),
            }
            for draft in drafts
        ],
    }


@router.post("/billing/runs", response={201: RunRow})
def close_statements(request: HttpRequest, body: ToClose) -> Any:
    """Close a period as it was looked at: its statements are numbered and never change again."""
    may(request, CLOSE)
    run = close(
        _issuer(request, body.issuer),
        body.first_day,
        body.last_day,
        principal(request),
        expected=body.fingerprint,
        house=(body.house_meter_first_kwh, body.house_meter_last_kwh),
    )
    return Status(201, run)


@router.get("/billing/statements", response=Page[StatementRow])
def list_statements(request: HttpRequest, asked: Query[Chosen]) -> Any:
    """Closed statements, the newest first."""
    rows = seen(request, Statement).select_related("household").defer("document")
    if asked.run is not None:
        rows = rows.filter(run=asked.run)
    if asked.household is not None:
        rows = rows.filter(household=asked.household)
    return page(rows, asked, newest_first=True)


@router.get("/billing/statements/{statement_id}", response=WholeStatement)
def get_statement(request: HttpRequest, statement_id: Id) -> Any:
    """One of them, with all that it says."""
    return one(seen(request, Statement).select_related("household"), pk=statement_id)


@router.get("/billing/statements/{statement_id}/files/{kind}", openapi_extra=CONTENT)
def download_statement_file(
    request: HttpRequest, statement_id: Id, kind: Literal["csv", "pdf"]
) -> HttpResponse:
    """The file that was posted, byte for byte."""
    row = one(seen(request, Statement).defer("document"), pk=statement_id)
    with _whole_files():
        return as_download(content_of(row, kind), row.label, kind)


@router.get("/billing/runs/{run_id}/files", openapi_extra=CONTENT)
def download_run_files(request: HttpRequest, run_id: Id) -> HttpResponse:
    """All files of a closed period, as a ZIP file."""
    row = one(seen(request, StatementRun), pk=run_id)
    with _whole_files():
        return as_download(zip_of(row), f"statements-{row.first_day}-{row.last_day}", "zip")


@contextmanager
def _whole_files() -> Iterator[None]:
    try:
        yield
    except (NoFile, DamagedFile) as error:
        raise Problem(503, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


def _issuer(request: HttpRequest, pk: int) -> Issuer:
    row = given(request, Issuer, pk, "body.issuer")
    if row is None:
        raise unfit("body.issuer", f"There is no issuer {pk}.")
    return row
