"""Price a session by a tariff, both written down; nothing is stored."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from levity.billing.documents import SessionDocument, TariffDocument, Zone
from levity.billing.holiday_calendars import dates_of
from levity.billing.ocpi_documents import CannotSay, OcpiTariffDocument
from levity.billing.ocpi_reading import ours_of_ocpi
from levity.billing.rules.lines import Line
from levity.billing.rules.ocpi import price_by_ocpi
from levity.billing.rules.pricing import Priced, price
from levity.billing.rules.tariff import NoPrice
from levity.billing.rules.usage import BadUsage

__all__ = [
    "CannotPrice",
    "computed",
    "price_document",
    "price_documents",
    "read_ocpi",
    "read_tariff",
    "with_holidays",
]

MICRO = Decimal("0.000001")


class CannotPrice(ValueError):
    """The tariff or the session is wrong; each of `problems` names the field and what is wrong."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{where}: {what}" for where, what in problems))


def price_document(tariff: Any, session: Any, time_zone: str | None = None) -> dict[str, Any]:
    """The lines and sums of this session, as JSON; one with `elements` is an OCPI 2.2.1 tariff,
    whose place has this time zone. Raises `CannotPrice`."""
    if not isinstance(tariff, Mapping):
        raise CannotPrice([("tariff", "this is no JSON object")])
    document = OcpiTariffDocument if "elements" in tariff else TariffDocument
    return price_documents(
        _read(document, tariff, "tariff"), _read(SessionDocument, session, "session"), time_zone
    )


def read_tariff(content: Any) -> TariffDocument:
    """A tariff of ours, checked. Raises `CannotPrice`."""
    if not isinstance(content, Mapping):
        raise CannotPrice([("tariff", "this is no JSON object")])
    if "elements" in content:
        raise CannotPrice([("tariff", "this is an OCPI tariff; write it as one of ours")])
    read: TariffDocument = _read(TariffDocument, content, "tariff")
    return read


def read_ocpi(content: Any, time_zone: str) -> dict[str, Any]:
    """An OCPI 2.2.1 tariff as a document of ours. Raises `CannotPrice`."""
    try:
        return ours_of_ocpi(_read(OcpiTariffDocument, content, "tariff"), _zone(time_zone))
    except CannotSay as error:
        raise CannotPrice([("tariff", str(error))]) from error


def with_holidays(tariff: TariffDocument, first_year: int) -> TariffDocument:
    """With the dates of its calendar of holidays, from this year on. Raises `CannotPrice`."""
    if not tariff.holiday_calendar:
        return tariff
    try:
        found = dates_of(tariff.holiday_calendar, first_year)
    except ValueError as error:
        raise CannotPrice([("tariff.holiday_calendar", str(error))]) from error
    return tariff.model_copy(update={"holidays": sorted({*tariff.holidays, *found})})


def price_documents(
    tariff: TariffDocument | OcpiTariffDocument,
    session: SessionDocument,
    time_zone: str | None = None,
) -> dict[str, Any]:
    """The same of documents that have been read."""
    try:
        if isinstance(tariff, OcpiTariffDocument):
            by_ocpi = tariff.tariff(_zone(time_zone))
            return computed(price_by_ocpi(by_ocpi, session.usage()), by_ocpi.currency)
        if not tariff.holidays:
            tariff = with_holidays(tariff, session.start.year)
        ours = tariff.tariff()
        return computed(price(ours, session.usage(), session.kwh_before), ours.currency)
    except BadUsage as error:
        raise CannotPrice([("session", str(error))]) from error
    except NoPrice as error:
        raise CannotPrice([("tariff", str(error))]) from error


def computed(priced: Priced, currency: str) -> dict[str, Any]:
    """Lines and sums as JSON: amounts and quantities as decimal strings."""
    sums = priced.sums
    return {
        "currency": currency,
        "energy_wh": _text(priced.wh),
        "lines": [_line(line) for line in priced.lines],
        "taxes": [
            {
                "vat_percent": _text(each.vat),
                "net": str(each.net),
                "tax": str(each.tax),
                "gross": str(each.gross),
            }
            for each in sums.by_rate
        ],
        "net": str(sums.net),
        "tax": str(sums.tax),
        "gross": str(sums.gross),
    }


def _line(line: Line) -> dict[str, str]:
    return {
        "kind": line.kind,
        "name": line.name,
        "quantity": _text(line.quantity.quantize(MICRO) if line.unit != "kWh" else line.quantity),
        "unit": line.unit,
        "price": _text(line.price),
        "amount": str(line.amount),
        "vat_percent": _text(line.vat),
    }


def _read(document: Any, content: Any, name: str) -> Any:
    try:
        return document.model_validate(content)
    except ValidationError as error:
        problems = [
            (".".join([name, *map(str, each["loc"])]), _what(each)) for each in error.errors()
        ]
        raise CannotPrice(problems) from error


def _what(problem: Any) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")


def _zone(time_zone: str | None) -> str:
    if not time_zone:
        raise CannotPrice(
            [("time_zone", "an OCPI tariff needs the time zone of the place, like Europe/Berlin")]
        )
    try:
        return TypeAdapter(Zone).validate_python(time_zone)
    except ValidationError as error:
        raise CannotPrice([("time_zone", _what(error.errors()[0]))]) from error


def _text(number: Decimal) -> str:
    """Without zeros at the end, and never as 1E+2."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
