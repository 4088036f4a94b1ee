"""What the statements of each closed period come to, for a whole list in one statement of SQL."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest

from levity.billing.models import Statement, StatementRun
from levity.pages.kit.base import BoundedChangeList

__all__ = ["RunList", "sums_of"]


def sums_of(runs: Sequence[StatementRun]) -> dict[int, list[tuple[str, Decimal]]]:
    """By run: (currency, sum with tax) of each currency of its statements."""
    found: dict[int, list[tuple[str, Decimal]]] = {run.pk: [] for run in runs}
    rows = Statement.objects.filter(run__in=list(found)).order_by("run", "currency")
    sums = rows.values_list("run", "currency").annotate(Sum("gross"))
    for run, currency, gross in sums:
        found[run].append((currency, gross))
    return found


class RunList(BoundedChangeList):
    """The sums of all runs that it shows are asked for at once."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """With the sums of each."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        found = sums_of(self.result_list)
        for row in self.result_list:
            row.sums = found[row.pk]
