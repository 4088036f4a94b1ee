"""The tables of billing."""

from levity.billing.models.accounting import Creditor, Debtor, DirectDebit
from levity.billing.models.households import Assignment, Household
from levity.billing.models.mails import StatementMail
from levity.billing.models.prices import SessionMark, SessionPrice
from levity.billing.models.report_mails import ReportMail
from levity.billing.models.statements import (
    Issuer,
    NumberGap,
    Statement,
    StatementFile,
    StatementPosition,
    StatementRun,
)
from levity.billing.models.tariffs import Tariff, TariffUse, TariffVersion

__all__ = [
    "Assignment",
    "Creditor",
    "Debtor",
    "DirectDebit",
    "Household",
    "Issuer",
    "NumberGap",
    "ReportMail",
    "SessionMark",
    "SessionPrice",
    "Statement",
    "StatementFile",
    "StatementMail",
    "StatementPosition",
    "StatementRun",
    "Tariff",
    "TariffUse",
    "TariffVersion",
]
