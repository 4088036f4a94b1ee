"""What bodies and answers are made of.

`Body`: what clients send; a field that is not known is refused. `Row`: what they get. Numbers with
a unit have it in their name (`energy_wh`), and are strings where they are exact.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, PlainSerializer
from pydantic.json_schema import WithJsonSchema

__all__ = [
    "BYTES",
    "CONTENT",
    "LEFT_OUT",
    "Amount",
    "Body",
    "Id",
    "Number",
    "Page",
    "Paged",
    "ProblemDetails",
    "Row",
    "Text",
    "Time",
    "TimeGiven",
]

T = TypeVar("T")
LARGEST = 2**63 - 1
EXAMPLE = "2026-11-22T12:00:00Z"
BYTES: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}
"""A file, of whatever type: generated clients leave types out that they don't know."""
CONTENT: dict[str, Any] = {"responses": {200: {"content": BYTES}}}
"""`openapi_extra` of an operation that answers with a file."""


def utc(moment: datetime) -> str:
    """`2026-11-22T12:00:00Z`, or with microseconds where there are some."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(number: Decimal) -> str:
    """`12000.5`, never `1.2E+4`."""
    return format(number, "f")


def _in_range(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this time is outside of the calendar") from error


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character can't be stored")
    return text


Time = Annotated[
    datetime,
    PlainSerializer(utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE]}),
]
"""A time in an answer: UTC, with a `Z`."""
TimeGiven = Annotated[AwareDatetime, AfterValidator(_in_range)]
"""A time in a request: with a zone."""
Amount = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["12500.000"]}),
]
"""An exact number in an answer, as a string."""
Number = Annotated[
    Decimal,
    PlainSerializer(lambda number: plain(number.normalize()), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["229.8"]}),
]
"""The same without zeros at its end: what a charger measured."""
Id = Annotated[int, Field(ge=1, le=LARGEST)]
Text = Annotated[str, AfterValidator(_without_nul)]
"""A string in a request. Give it a `max_length`."""


LEFT_OUT: Any = None
"""The default of a field of a change that may be left out, but may not be null."""
CURSOR = "`next` of the page before; leave it out to begin."


class Body(Schema):
    """What clients send. Without unknown fields, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    def values(self) -> dict[str, Any]:
        """What was sent, under the names of the columns (`serialization_alias`)."""
        names = {
            name: field.serialization_alias or name
            for name, field in type(self).model_fields.items()
        }
        sent = self.model_fields_set
        return {column: getattr(self, name) for name, column in names.items() if name in sent}


class Row(Schema):
    """What clients get, read from the attributes of a row."""


class Paged(Schema):
    """The query of every list; filters of a resource are fields of a subclass."""

    cursor: Text | None = Field(None, max_length=200, description=CURSOR)
    limit: int = Field(50, ge=1, le=500, description="How many at most.")


class Page(Schema, Generic[T]):
    """A part of a list."""

    items: list[T]
    next: str | None = Field(
        description="Send it as `cursor` to get the next page; null: this is the last one."
    )


class FieldError(Schema):
    """One thing that is wrong."""

    where: str = Field(description="Such as `body.name`.")
    message: str


class ProblemDetails(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What happened and what to do, for people.")
    errors: list[FieldError] | None = None
