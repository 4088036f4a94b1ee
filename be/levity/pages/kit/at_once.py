"""What a page wants to know of several tables, asked in one statement."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Case, DecimalField, F, Field, IntegerField, Q, QuerySet, Subquery, When

__all__ = ["OverRows", "answers", "how_many", "how_many_of_newest", "sum_of"]


class OverRows(Subquery):
    """COUNT or SUM over the column `amount` of a query."""

    template = "(SELECT %(function)s(amount) FROM (%(subquery)s) found)"

    def __init__(self, rows: QuerySet[Any], function: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(rows, output_field, function=function)


def how_many(rows: QuerySet[Any], most: int | None = None) -> OverRows:
    """How many rows there are; `most` if there are so many or more."""
    return OverRows(rows.order_by().values(amount=F("pk"))[:most], "COUNT", IntegerField())


def how_many_of_newest(rows: QuerySet[Any], limit: int, condition: Q) -> OverRows:
    """How many of the newest `limit` rows fulfil the condition."""
    is_one = Case(When(condition, then=1), output_field=IntegerField())
    return OverRows(rows.order_by("-pk").values(amount=is_one)[:limit], "COUNT", IntegerField())


def sum_of(rows: QuerySet[Any], column: str) -> OverRows:
    """The sum of a decimal column; None where there is nothing to add up."""
    field = DecimalField(max_digits=30, decimal_places=3)
    return OverRows(rows.order_by().values(amount=F(column)), "SUM", field)


def answers(user: Any, asked: dict[str, Subquery]) -> dict[str, Any]:
    """What each of these comes to, by its name, in one statement; a count of nothing may be None.

    They are asked beside the person's own row, which is there and is found by its key.
    """
    if not asked:
        return {}
    row = get_user_model().objects.filter(pk=user.pk).annotate(**asked)
    return dict(row.values(*asked).get())
