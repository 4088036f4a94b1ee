"""The pages of billing, if Levity's pages are installed."""

from django.apps import apps

if apps.is_installed("levity.pages"):
    from levity.billing.admin import (
        households,
        issuers,
        prices,
        report_mails,
        statement_runs,
        statements,
        tariffs,
    )

    __all__ = [
        "households",
        "issuers",
        "prices",
        "report_mails",
        "statement_runs",
        "statements",
        "tariffs",
    ]
