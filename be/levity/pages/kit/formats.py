"""How values are shown to people: with their unit, in the site's time zone, as plain text."""

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext, gettext_noop, pgettext

from levity.ocpp.models import ChargePoint
from levity.ocpp.wire.fields import zone_of
from levity.writing import Worded, language_or_english, with_signs

__all__ = [
    "NOTHING",
    "UNKNOWN_PAYER",
    "ago",
    "and_more",
    "badge",
    "change_link",
    "duration",
    "excerpt",
    "kwh",
    "link",
    "list_url",
    "local_time",
    "month_of",
    "payer",
    "plain",
    "refusal",
    "said",
    "session_state",
    "shown_time",
    "silent_for",
    "site_zone",
    "so_far",
    "watts",
    "words",
    "written",
]

NOTHING = "\N{EN DASH}"
UNKNOWN_PAYER = gettext_noop("unknown payer")

# OCPP 1.6, 7.7 ChargePointStatus, in the colours in which people think of them. Anything else,
# and chargers do invent statuses, is shown without a colour.
TONES = {
    "Available": "good",
    "Preparing": "busy",
    "Charging": "busy",
    "SuspendedEV": "busy",
    "SuspendedEVSE": "busy",
    "Finishing": "busy",
    "Reserved": "busy",
    "Unavailable": "warn",
    "Faulted": "bad",
}


def site_zone(row: Any) -> tzinfo | None:
    """The time zone of the site of this charge point, or of the charge point of this row.

    None, the server's own, where there is no site or it names none. Load a list's rows with
    `charge_point__site`.
    """
    charge_point = row if isinstance(row, ChargePoint) else row.charge_point
    site = charge_point.site if charge_point is not None else None
    return zone_of(site.time_zone) if site is not None and site.time_zone else None


def local_time(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """The moment in this time zone, or in the server's; it is named: 2026-11-22 14:05:09 CET."""
    if moment is None:
        return NOTHING
    try:
        shown = timezone.localtime(moment, zone)
    except (OverflowError, ValueError):
        # The first or last day of the calendar, moved out of it by the time zone.
        return moment.isoformat(sep=" ", timespec="seconds")
    return f"{shown:%Y-%m-%d %H:%M:%S} {shown.tzname()}"


def shown_time(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """The same for a list: it breaks between date and time only."""
    return format_html_join(" ", '<span class="lv-time">{}</span>', _date_and_time(moment, zone))


def _date_and_time(moment: datetime | None, zone: tzinfo | None) -> list[tuple[str]]:
    date, _, time = local_time(moment, zone).partition(" ")
    return [(part,) for part in (date, time) if part]


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago that was, in the one unit that matters: 12 s ago, 3 h ago.

    The browser lets it grow (static/levity/live.js), so it is never sent again for that.
    """
    return gettext("never") if moment is None else _growing(moment, "ago", _ago(now - moment))


def silent_for(moment: datetime, now: datetime) -> str:
    """How long nothing has come."""
    return format_html("{} {}", gettext("silent for"), _growing(moment, "for", _span(now - moment)))


def so_far(moment: datetime, now: datetime) -> str:
    """How long it has lasted; the browser lets it grow, too."""
    return _growing(moment, "so far", gettext("%(span)s so far") % {"span": duration(now - moment)})


def _growing(moment: datetime, kind: str, text: str) -> str:
    since = int(moment.timestamp())
    return format_html('<time data-since="{}" data-as="{}">{}</time>', since, kind, text)


def _ago(span: timedelta) -> str:
    past = span >= timedelta()
    return gettext("%(span)s ago") % {"span": _span(span)} if past else gettext("in the future")


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {gettext(unit)}"
    return f"{seconds} s"


def duration(span: timedelta | None) -> str:
    """Hours, minutes and seconds, as far as they matter; a clock that went back says so."""
    if span is None:
        return NOTHING
    seconds = int(span.total_seconds())
    if seconds < 0:
        return gettext("negative (clock)")
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def kwh(watt_hours: Decimal | None) -> str:
    """Energy that is kept in Wh, in kWh to the Wh: 1,013.142 kWh."""
    return NOTHING if watt_hours is None else f"{written(watt_hours / 1000, 3)} kWh"


def watts(power: Decimal | None) -> str:
    """Power in W below a kilowatt, else in kW."""
    if power is None:
        return NOTHING
    is_small = abs(power) < 1000
    return f"{written(power, 0)} W" if is_small else f"{written(power / 1000, 2)} kW"


def plain(value: Decimal) -> str:
    """A number with a sign for thousands and without zeros that say nothing: 1,013,142.5."""
    whole = f"{value:,f}"
    return _signed(whole.rstrip("0").rstrip(".") if "." in whole else whole)


def written(value: Any, decimals: int) -> str:
    """A number as the reader of this page writes it: 1,013.5 or 1.013,5."""
    return _signed(f"{value:,.{decimals}f}")


def month_of(day: date) -> str:
    """A month by its name: November 2026."""
    return f"{MONTHS[day.month]} {day.year}"


def said(text: Any) -> Any:
    """A text of the code in the language of the page; a text that is empty stays so."""
    return gettext(str(text)) if text and isinstance(text, str) else text


def session_state(state: str) -> str:
    """A state of sessions, which is kept in English: an active user is another thing."""
    words = {
        "active": pgettext("session", "active"),
        "stopped": pgettext("session", "stopped"),
        "orphaned": pgettext("session", "orphaned"),
    }
    return words.get(state, state)


def refusal(error: Worded) -> str:
    """Why something was not done, in the language of the page."""
    return error.sentence_in(gettext)


def _signed(text: str) -> str:
    return with_signs(text, language_or_english(get_language()))


def words(text: str) -> str:
    """A text whose words stay whole where it wraps, also at their hyphens."""
    return format_html_join(" ", '<span class="lv-word">{}</span>', ((w,) for w in text.split()))


def payer(id_tag: str, length: int) -> str:
    """The id tag with which somebody charged, or that it is unknown who did."""
    return words(excerpt(id_tag, length)) if id_tag else gettext(UNKNOWN_PAYER)


def and_more(count: int) -> str:
    """What stands behind a list that is cut: how many it leaves out; empty for none."""
    if count <= 0:
        return ""
    more = gettext("and %(count)s more") % {"count": written(count, 0)}
    return f" {more}"


def excerpt(text: str, length: int = 100) -> str:
    """The beginning of a long text."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def badge(text: str, tone: str | None = None) -> str:
    """A short coloured word. `tone` is good, busy, warn, bad or ""; None: by OCPP status."""
    if not text:
        return NOTHING
    chosen = TONES.get(text, "") if tone is None else tone
    return format_html('<span class="lv-badge lv-{}">{}</span>', chosen or "plain", text)


def link(url: str, text: Any) -> str:
    """A link; the text may come from a charger."""
    return format_html('<a class="lv-link" href="{}">{}</a>', url, text)


def change_link(model: type[Model], pk: Any, text: Any) -> str:
    """A link to the page of this row."""
    name = f"levity:{model._meta.app_label}_{model._meta.model_name}_change"
    return link(reverse(name, args=[quote(pk)]), text)


def list_url(model: type[Model], **filters: Any) -> str:
    """The address of this model's list, filtered."""
    address = reverse(f"levity:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
