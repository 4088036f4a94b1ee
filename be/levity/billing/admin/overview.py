"""What the overview says of statements."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from levity.billing.admin.statement_rows import days_shown
from levity.billing.models import StatementRun
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import words

__all__ = ["last_statements"]


def last_statements(request: HttpRequest) -> list[dict[str, Any]]:
    """A tile that leads to the statements that were closed last; none if there are none."""
    if not request.user.has_perm("billing.view_statementrun"):
        return []
    runs = visible(StatementRun.objects.annotate(count=Count("statements")), request.user)
    run = runs.first()
    if run is None:
        return []
    address = reverse("levity:billing_statementrun_change", args=[run.pk])
    return [
        {
            "title": _("Last statements"),
            "value": run.count,
            "url": address,
            "note": words(days_shown(run)),
        }
    ]
