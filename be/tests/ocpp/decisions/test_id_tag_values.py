"""What people and spreadsheets write into the cells of a file of id tags."""

from typing import Any

import pytest

from levity.ocpp.decisions.id_tags_import import import_file, import_lines
from levity.ocpp.models import IdTag

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("spoiled", ["4.11E+13", "4,11E+13", "4.1123E+15"])
def test_a_number_that_a_spreadsheet_has_spoiled_is_no_tag(spoiled: str) -> None:
    [problem] = import_file(f"id_tag;owner\n{spoiled};Anna\n".encode()).problems
    assert "format that column as text" in problem.text
    assert IdTag.objects.count() == 0


def test_a_tag_that_has_an_e_in_it_is_none() -> None:
    assert import_file(b"id_tag\n04E+13\n4E13\n").done


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("31.12.2030", "2031-01-01T00:00"),
        ("1.2.2030", "2030-02-02T00:00"),
        ("31.12.30", "2031-01-01T00:00"),
        ("12/31/2030", "2031-01-01T00:00"),
        ("31/12/2030", "2031-01-01T00:00"),
        ("31.12.2030 16:30", "2030-12-31T16:30"),
        ("2030-12-31 16:30:15", "2030-12-31T16:30"),
    ],
)
def test_dates_as_people_write_them(text: str, when: str, settings: Any) -> None:
    settings.TIME_ZONE = "UTC"
    assert import_lines(["id_tag;expires_at\n", f"a;{text}\n"]).problems == []
    expires = IdTag.objects.get().expires_at
    assert expires is not None
    assert expires.isoformat().startswith(when)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5/6/2030", "5 and 6 can be either day or month; write 2030-06-05 or 2030-05-06"),
        ("32.12.2030", "is not a date or time"),
        ("31.13.2030", "is not a date or time"),
        ("31.12.2030 25:99", "is not a date or time"),
        ("31.12.99999", "is not a date or time"),
        ("..", "is not a date or time"),
    ],
)
def test_a_date_of_two_meanings_or_none_is_refused(text: str, said: str) -> None:
    [problem] = import_lines(["id_tag;expires_at\n", f"a;{text}\n"]).problems
    assert said in problem.text
