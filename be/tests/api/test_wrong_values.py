"""What is wrong with a request is said in words that a person understands, and names the field."""

from collections.abc import Callable

import pytest

from levity.writing import as_sentence
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
JARGON = ("Input should", "Extra inputs", "Field required", "asked", "parse", "dictionary")


@pytest.mark.parametrize(
    ("path", "where", "detail"),
    [
        ("events?site=Home", "query.site.0", "“site.0” must be a whole number."),
        ("firmware?limit=9999", "query.limit", "“limit” must be at most 500."),
        ("commands?status=done", "query.status", "“status” must be 'answered', 'refused'"),
        ("transactions?since=yesterday", "query.since", "“since” must be a time, such as"),
        ("transactions?since=2026-11-30T18:00:00", "query.since", "“since” needs a time zone"),
        ("sites/x", "path.site_id", "“site_id” must be a whole number."),
        ("sites?colour=red", "query.colour", "Unknown parameter: colour."),
    ],
)
def test_a_parameter_that_does_not_fit(
    caller: Callable[..., Caller], path: str, where: str, detail: str
) -> None:
    problem = caller()("GET", path)
    found = problem.json()
    assert problem.status_code == 422, found
    assert found["detail"].startswith(detail), found
    assert found["errors"][0]["where"] == where
    assert not [word for word in JARGON if word in str(found)]


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("alert-rules", {"name": "x", "sites": [1]}, "“sites”: there is no such field."),
        ("id-tags", {"id_tag": "A", "charge_points": None}, "“charge_points” must be a list."),
        ("sites", {"name": "x" * 300}, "“name” may have at most 100 characters."),
        ("sites", {"name": 7}, "“name” must be a text."),
        (
            "charge-points/CP1/diagnostics",
            {"since": "2026-11-30T18:00:00Z", "until": "2026-11-30T12:00:00Z"},
            "The body: until has to be later than since.",
        ),
        ("mass-commands", {"action": "Reset"}, "The body: name either charge_points or a site."),
        ("reservations", {"ends_at": "soon"}, "“charge_point” is missing (3 more)."),
        (
            "firmware-campaigns",
            {"firmware_id": 1, "charge_points": []},
            "“charge_points” must have",
        ),
    ],
)
def test_a_body_that_does_not_fit(
    caller: Callable[..., Caller], path: str, body: object, detail: str
) -> None:
    problem = caller()("POST", path, body)
    found = problem.json()
    assert (problem.status_code, found["detail"][: len(detail)]) == (422, detail), found
    assert not [word for word in JARGON if word in str(found)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("it is connected", "It is connected."),
        ("garage-1 is connected", "garage-1 is connected."),
        ("cp2 is retired: bring it back first", "cp2 is retired: bring it back first."),
        ("wait: must be less", "Wait: must be less."),
        ("can't be paused", "Can't be paused."),
        ("is that meant?", "is that meant?"),
        ("", "."),
    ],
)
def test_a_sentence_spells_the_name_of_a_charger_as_it_is(text: str, sentence: str) -> None:
    assert as_sentence(text) == sentence
