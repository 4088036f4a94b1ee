"""Billing as a Django app."""

from typing import Any

from django.apps import AppConfig
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy, gettext_noop

from levity.installation import needs

__all__ = ["BillingConfig"]


def reports_page(request: HttpRequest) -> str:
    """For those who may see sessions."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_transaction"):
        return ""
    return reverse("levity:billing_reports")


class BillingConfig(AppConfig):
    name = "levity.billing"
    label = "billing"
    verbose_name = gettext_lazy("Billing")
    default_auto_field = "django.db.models.BigAutoField"

    levity_replaced = "levity.billing.replacing.move_what_is_assigned"

    levity_navigation = (
        (
            gettext_noop("Charging"),
            (
                (gettext_noop("Households"), "family_restroom", "billing.household"),
                (gettext_noop("Tariffs"), "sell", "billing.tariff"),
                (gettext_noop("Statements"), "request_quote", "billing.statementrun"),
                (gettext_noop("Prices of sessions"), "receipt_long", "billing.sessionprice"),
                (gettext_noop("Reports"), "bar_chart", reports_page),
            ),
        ),
    )

    levity_first_steps = "levity.billing.admin.first_steps.steps"

    levity_tiles = "levity.billing.admin.overview.last_statements"

    levity_reports = (
        ("charger", "resident", "tag", "month", "availability"),
        "levity.billing.reports.making.lines_of",
    )

    levity_session_figures = "levity.billing.admin.session_figure.cost"

    # Told inside the transaction of whoever changes a session; only while there is a tariff.
    levity_sessions_changed = (
        "levity.billing.receiving.mark",
        "levity.billing.receiving.is_set_up",
        "levity.billing.receiving.refresh",
    )

    def import_models(self) -> None:
        """They point to those of levity.ocpp."""
        needs("levity.billing", "levity.ocpp")
        super().import_models()

    def ready(self) -> None:
        """Answer before an id tag is forgotten, and forget it with the others."""
        from levity.billing.admin.words import translate_names
        from levity.billing.forgetting import forget_tag, why_not
        from levity.ocpp.decisions.forgetting import forgotten, may_forget

        translate_names(self.get_models())
        may_forget.connect(why_not, dispatch_uid="levity.billing")
        forgotten.connect(forget_tag, dispatch_uid="levity.billing")
