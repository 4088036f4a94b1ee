"""What the mail with the reports of a month says, in the language of the installation."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.conf import settings
from django.utils import translation
from django.utils.translation import get_language, gettext, ngettext

from levity.billing.reports.making import title_of
from levity.billing.reports.said import figure_said, head_said
from levity.billing.reports.span import Span
from levity.billing.reports.table import Report
from levity.billing.statements.texts import day
from levity.pages.kit.formats import month_of, said
from levity.writing import language_or_english

__all__ = ["letter"]

LONGEST = 180


def letter(reports: Sequence[Report], span: Span, place: str) -> tuple[str, str]:
    """Subject, one line, and body. `place`: the name of a site, or empty for all of them."""
    with translation.override(language_or_english(settings.LANGUAGE_CODE)):
        where = " ".join(place.split()) or gettext("all sites")
        subject = gettext("Charging in %(month)s: %(where)s") % {
            "month": month_of(span.first),
            "where": where,
        }
        return subject[:LONGEST], "\n".join(_lines(reports, span, where)) + "\n"


def _lines(reports: Sequence[Report], span: Span, where: str) -> Iterator[str]:
    language = language_or_english(get_language())
    first, last = (day(str(each), language) for each in (span.first, span.last))
    head = gettext("Charging from %(first)s to %(last)s, %(where)s:")
    yield head % {"first": first, "last": last, "where": where}
    yield ""
    yield from _sums(reports[0])
    yield ""
    yield gettext("Attached as CSV:")
    for report in reports:
        yield f"- {said(title_of(report.name))}"
    yield ""
    yield gettext("You get this mail each month because somebody entered your address in Levity.")


def _sums(report: Report) -> Iterator[str]:
    if not report.total:
        yield gettext("no session")
        return
    named = dict(zip(report.head, report.total, strict=True))
    count = int(named["sessions"])
    text = ngettext(
        "%(count)s session, %(kwh)s kWh, %(hours)s h",
        "%(count)s sessions, %(kwh)s kWh, %(hours)s h",
        count,
    )
    yield text % {
        "count": figure_said(f"{count:,}"),
        "kwh": figure_said(f"{Decimal(named['energy (kWh)']):,f}"),
        "hours": figure_said(f"{Decimal(named['duration (h)']):,f}"),
    }
    for head, value in named.items():
        if head.startswith("amount"):
            yield f"{head_said(head)}: {figure_said(value)}"
