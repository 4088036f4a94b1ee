"""Accounting data of issuers and households, and the files of closed runs for accountants."""

from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import may, one, seen
from levity.api.kit.schemas import CONTENT, LEFT_OUT, Body, Id, Page, Paged, Row, Text
from levity.billing.accounting import parties
from levity.billing.accounting.run_files import COLLECT, collected, datev_of, invoices_zip
from levity.billing.models import DirectDebit, Household, Issuer, StatementRun
from levity.billing.statements.downloads import as_download

__all__ = ["router"]

router = Router(tags=["billing"])
MASKED = "Masked, unless you may change it: DE89…3000."


class AddressRow(Row):
    """By field, as programs read it."""

    street: str
    postcode: str
    city: str
    country: str
    iban: str = Field(description=MASKED)


class CreditorRow(AddressRow):
    """An issuer, as invoices, direct debits and the books need it."""

    contact: str
    phone: str
    email: str
    creditor_id: str
    due_days: int
    exemption: str
    consultant: str
    client: str
    revenue_accounts: str


class DebtorRow(AddressRow):
    """A household, as invoices, direct debits and the books need it."""

    reference: str
    account: str
    mandate: str
    signed_on: date | None
    holder: str


class AddressChange(Body):
    """What is left out stays."""

    street: Text = Field(LEFT_OUT, max_length=70)
    postcode: Text = Field(LEFT_OUT, max_length=16)
    city: Text = Field(LEFT_OUT, max_length=35)
    country: Text = Field(LEFT_OUT, min_length=2, max_length=2)
    iban: Text = Field(LEFT_OUT, max_length=42)


class CreditorChange(AddressChange):
    """Of an issuer."""

    contact: Text = Field(LEFT_OUT, max_length=100)
    phone: Text = Field(LEFT_OUT, max_length=50)
    email: Text = Field(LEFT_OUT, max_length=254)
    creditor_id: Text = Field(LEFT_OUT, max_length=42)
    due_days: int = Field(LEFT_OUT, ge=0, le=365)
    exemption: Text = Field(LEFT_OUT, max_length=200)
    consultant: Text = Field(LEFT_OUT, max_length=7)
    client: Text = Field(LEFT_OUT, max_length=5)
    revenue_accounts: Text = Field(LEFT_OUT, max_length=200, description="Such as 19=8400 0=8200.")


class DebtorChange(AddressChange):
    """Of a household."""

    reference: Text = Field(LEFT_OUT, max_length=50)
    account: Text = Field(LEFT_OUT, max_length=9)
    mandate: Text = Field(LEFT_OUT, max_length=35)
    signed_on: date | None = Field(None)
    holder: Text = Field(LEFT_OUT, max_length=70)


class DirectDebitRow(Row):
    """A file for the bank."""

    id: int
    run_id: int
    collect_on: date
    payments: int
    total: str = Field(description="EUR.")
    sha256: str
    made_at: datetime
    made_by: str

    @staticmethod
    def resolve_total(row: Any) -> str:
        """In euros and cents."""
        return f"{row.total:.2f}"


class ToCollect(Body):
    """When the bank is to collect."""

    collect_on: date
    again: bool = Field(False, description="The file that was made before never went to the bank.")


@router.get("/billing/issuers/{issuer_id}/accounting", response=CreditorRow)
def get_issuer_accounting(request: HttpRequest, issuer_id: Id) -> Any:
    """What accountants need of an issuer."""
    may(request, "billing.view_creditor")
    row = parties.creditor_of(one(seen(request, Issuer), pk=issuer_id))
    return _shown(request, row, parties.CHANGE_CREDITOR)


@router.patch("/billing/issuers/{issuer_id}/accounting", response=CreditorRow)
def change_issuer_accounting(request: HttpRequest, issuer_id: Id, body: CreditorChange) -> Any:
    """Change it; 422 for an IBAN or an identifier whose check digits are wrong."""
    row = one(seen(request, Issuer), pk=issuer_id)
    return parties.set_creditor(row, body.values(), principal(request))


@router.get("/households/{household_id}/accounting", response=DebtorRow)
def get_household_accounting(request: HttpRequest, household_id: Id) -> Any:
    """What accountants need of a household: account, mandate, address."""
    may(request, "billing.view_debtor")
    row = parties.debtor_of(one(seen(request, Household), pk=household_id))
    return _shown(request, row, parties.CHANGE_DEBTOR)


@router.patch("/households/{household_id}/accounting", response=DebtorRow)
def change_household_accounting(request: HttpRequest, household_id: Id, body: DebtorChange) -> Any:
    """Change it; 422 for an IBAN whose check digits are wrong, or half a mandate."""
    row = one(seen(request, Household), pk=household_id)
    return parties.set_debtor(row, body.values(), principal(request))


@router.get("/billing/runs/{run_id}/accounting/{kind}", openapi_extra=CONTENT)
def download_run_for_accounts(
    request: HttpRequest, run_id: Id, kind: Literal["xrechnung", "facturx", "datev"]
) -> HttpResponse:
    """All statements as electronic invoices (ZIP) or bookings; 409 with what is missing."""
    row, who = one(seen(request, StatementRun), pk=run_id), principal(request)
    name = f"{kind}-{row.first_day}-{row.last_day}"
    if kind == "datev":
        return as_download(datev_of(row, who), name, "datev")
    return as_download(invoices_zip(row, kind, who), name, "zip")


@router.get("/billing/direct-debits", response=Page[DirectDebitRow])
def list_direct_debits(request: HttpRequest, asked: Query[Paged]) -> Any:
    """Files for the bank, the newest first."""
    return page(seen(request, DirectDebit).defer("content"), asked, newest_first=True)


@router.post("/billing/runs/{run_id}/direct-debits", response={201: DirectDebitRow})
def make_direct_debits(request: HttpRequest, run_id: Id, body: ToCollect) -> Any:
    """Make the file (pain.008) of those who have signed a mandate; once, unless `again`."""
    may(request, COLLECT)
    row = one(seen(request, StatementRun), pk=run_id)
    return Status(201, collected(row, body.collect_on, principal(request), again=body.again))


@router.get("/billing/direct-debits/{debit_id}/content", openapi_extra=CONTENT)
def download_direct_debits(request: HttpRequest, debit_id: Id) -> HttpResponse:
    """The file as it was made."""
    may(request, COLLECT)
    row = one(seen(request, DirectDebit), pk=debit_id)
    return as_download(bytes(row.content), f"direct-debits-{row.pk}", "xml")


def _shown(request: HttpRequest, row: Any, permission: str) -> Any:
    if not principal(request).has_perm(permission):
        row.iban = row.iban_masked
    return row
