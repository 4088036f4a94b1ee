"""The words of a report in the language of the page or mail; its CSV and the API keep English ones,
which programs rely on."""

from django.utils.translation import get_language, gettext, gettext_noop

from levity.billing.reports.table import Report
from levity.billing.saying import OF_ANOTHER_SITE
from levity.pages.kit.formats import UNKNOWN_PAYER, said
from levity.writing import language_or_english, with_signs

__all__ = ["cell_said", "drawn_said", "figure_said", "head_said", "note_said"]

AMOUNTS = (gettext_noop("amount (%s, with tax)"), gettext_noop("amount (%s, without tax)"))
OURS = ("(nobody's)", OF_ANOTHER_SITE, "All", UNKNOWN_PAYER)
"""What stands where there is no name; names are people's and stay as they are."""


def head_said(head: str) -> str:
    """What a column is called."""
    for marked in AMOUNTS:
        before, after = marked.split("%s")
        if head.startswith(before) and head.endswith(after):
            return gettext(marked) % head.removeprefix(before).removesuffix(after)
    return str(said(head))


def cell_said(cell: str) -> str:
    """A name, or what stands for none."""
    return gettext(cell) if cell in OURS else cell


def figure_said(cell: str) -> str:
    """A number as the table has it, with the language's own signs."""
    return with_signs(cell, language_or_english(get_language()))


def note_said(report: Report) -> str:
    """What is to be known of its figures."""
    history = gettext("The history goes back %(days)s days.") % {"days": report.kept_days}
    return " ".join([str(said(report.note)), *([history] if report.kept_days else [])])


def drawn_said(report: Report) -> str:
    """For the script that draws its plot; empty where there is nothing to draw."""
    title, unit, bars = report.plot
    named = tuple((cell_said(label), value) for label, value in bars)
    return Report(report.name, "", (), (), 0, (str(said(title)), unit, named)).drawn
