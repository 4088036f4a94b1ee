"""Decisions about accounting data: of who bills, and of who pays. Account numbers are written down
masked, and shown whole only to those who may change them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from levity.billing.models import Creditor, Debtor, Household, Issuer
from levity.billing.rules.accounts import masked
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, check
from levity.ocpp.visibility import is_limited

__all__ = ["CREDITOR", "DEBTOR", "creditor_of", "debtor_of", "set_creditor", "set_debtor"]

CHANGE_CREDITOR, CHANGE_DEBTOR = "billing.change_creditor", "billing.change_debtor"
ADDRESS = ("street", "postcode", "city", "country", "iban")
CREDITOR = (
    *ADDRESS,
    *("contact", "phone", "email", "creditor_id", "due_days", "exemption"),
    *("consultant", "client", "revenue_accounts"),
)
DEBTOR = (*ADDRESS, "reference", "account", "mandate", "signed_on", "holder")


def creditor_of(issuer: Issuer) -> Creditor:
    """As it is entered, or empty."""
    return Creditor.objects.filter(issuer=issuer).first() or Creditor(issuer=issuer)


def debtor_of(household: Household) -> Debtor:
    """As it is entered, or empty."""
    return Debtor.objects.filter(household=household).first() or Debtor(household=household)


def set_creditor(issuer: Issuer, values: Mapping[str, Any], who: Who) -> Creditor:
    """Raises `ValidationError` for what does not fit."""
    _permit(issuer, CHANGE_CREDITOR, who)
    row, _ = _set(creditor_of(issuer), values, who)
    return row


def set_debtor(household: Household, values: Mapping[str, Any], who: Who) -> Debtor:
    """Raises `ValidationError` for what does not fit."""
    _permit(household, CHANGE_DEBTOR, who)
    row, _ = _set(debtor_of(household), values, who)
    return row


def _permit(row: Any, permission: str, who: Who) -> None:
    check(row, who, permission)
    if who is not None and is_limited(who):
        raise NotAllowed(gettext_noop("only a user of all sites may change accounting data"))


def _set(row: Any, values: Mapping[str, Any], who: Who) -> tuple[Any, bool]:
    before = {name: getattr(row, name) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean()
    changed = [name for name in values if getattr(row, name) != before[name]]
    if not changed:
        return row, False
    with transaction.atomic():
        row.save()
        after = {name: getattr(row, name) for name in changed}
        was = {name: before[name] for name in changed}
        note(who, [row], f"changed: {', '.join(changed)}", _hidden(was), _hidden(after))
    return row, True


def _hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: masked(value) if name == "iban" else value for name, value in values.items()}
