"""Id tags in and out as CSV."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from levity.ocpp.id_tags import BadFile, export_lines, import_lines
from levity.ocpp.models import ChargePoint, IdTag

pytestmark = pytest.mark.django_db

HEADER = "id_tag,status,expires_at,parent,owner,charge_points,max_transactions,notes\n"
# What people and chargers write, and what a spreadsheet would run.
NASTY = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "'=x",
    "''",
    "'plain",
    'a"b',
    "a,b;c",
    " x ",
    "y ",
    "' y",
    "'y ",
    "ü\nz",
    "\tx",
)


def state() -> Any:
    return [
        (
            tag.id_tag,
            tag.status,
            tag.expires_at,
            tag.parent and tag.parent.id_tag,
            tag.owner,
            sorted(place.identity for place in tag.charge_points.all()),
            tag.max_transactions,
            tag.notes,
        )
        for tag in IdTag.objects.order_by("id_tag")
    ]


def exported() -> str:
    return "".join(export_lines(IdTag.objects.order_by("id_tag")))


def test_what_is_exported_comes_back_the_same() -> None:
    places = [ChargePoint.objects.create(identity=name) for name in ("CP 1|%", "CP2")]
    group = IdTag.objects.create(id_tag="GROUP", max_transactions=0)
    for number, text in enumerate(NASTY):
        tag = IdTag.objects.create(
            id_tag=text,
            status=("Accepted", "Blocked", "Recorded")[number % 3],
            expires_at=datetime(2027, 1, 1, 12, 30, 15, 250000, tzinfo=UTC) if number % 2 else None,
            parent=group if number % 4 == 0 else None,
            owner=text,
            max_transactions=number if number % 3 else None,
            notes=text,
        )
        tag.charge_points.set(places[: number % 3])
    before, text = state(), exported()
    IdTag.objects.all().delete()
    done = import_lines(io.StringIO(text, newline=""))
    assert (done.created, done.updated, done.problems, done.done) == (len(NASTY) + 1, 0, [], True)
    assert state() == before
    again = import_lines(io.StringIO(text, newline=""), update=True)
    assert (again.created, again.updated) == (0, len(NASTY) + 1)
    assert state() == before
    assert exported() == text


def test_no_cell_of_an_export_is_a_formula() -> None:
    import csv

    for text in NASTY:
        IdTag.objects.create(id_tag=text, owner=text, notes=text)
    cells = [cell for row in csv.reader(io.StringIO(exported(), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_wrong_lines_are_named_and_nothing_is_imported() -> None:
    IdTag.objects.create(id_tag="Known")
    text = (
        HEADER + "good,,,,,,,\n"
        "KNOWN,,,,,,,\n"
        "GOOD,,,,,,,\n"
        ",,,,,,,\n"
        "a,Allowed,,,,,,\n"
        "b,,tomorrow,,,,,\n"
        '"c\nc",,,nobody,,,,\n'
        "d,,,,,CP9,,\n"
        "e,,,,,,many,\n"
        "f,,,F,,,,\n"
        "g,\n"
        "h,,,a,,,,\n"
    )
    done = import_lines(io.StringIO(text, newline=""))
    assert [str(problem) for problem in done.problems] == [
        "line 3: id tag 'KNOWN' is known already (--update changes it)",
        "line 4: id tag 'GOOD' stands in line 2 already",
        "line 6: status 'Allowed' is none of Accepted, Blocked, Recorded",
        "line 7: expires_at 'tomorrow' is no date or time, such as 2026-12-31",
        "line 8: no parent 'nobody'",
        "line 10: no charge point 'CP9'",
        "line 11: max_transactions 'many' is no whole number",
        "line 12: a tag can't be its own parent",
        "line 13: 2 values where the header has 8 columns",
        "line 14: no parent 'a'",
    ]
    assert not done.done
    assert [tag.id_tag for tag in IdTag.objects.all()] == ["Known"]
    assert import_lines(io.StringIO(text, newline=""), skip_errors=True).done
    assert sorted(tag.id_tag for tag in IdTag.objects.all()) == ["Known", "good"]


def test_an_update_changes_only_the_columns_of_the_file() -> None:
    """D-18: and finds the tag whatever its case."""
    IdTag.objects.create(id_tag="Tag", owner="Ann", notes="red", status="Recorded")
    import_lines(io.StringIO("id_tag;status\ntAG;blocked\n"), update=True)
    assert state() == [("Tag", "Blocked", None, None, "Ann", [], None, "red")]


def test_a_date_is_good_until_its_end_at_the_site(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    import_lines(io.StringIO("id_tag,expires_at\na,2026-12-31\nb,2026-12-31T08:00\n"))
    assert [tag.expires_at for tag in IdTag.objects.order_by("id_tag")] == [
        datetime(2026, 12, 31, 23, tzinfo=UTC),
        datetime(2026, 12, 31, 7, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the first line must name the columns"),
        ("tag,owner\n", "the first line must name the columns"),
        ("id_tag,colour\n", "there is no column 'colour'"),
        ("id_tag,id_tag\n", "named twice"),
        ('id_tag\n"abc', "not CSV"),
    ],
)
def test_what_is_no_csv_of_tags_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadFile, match=why):
        import_lines(io.StringIO(text, newline=""))


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tags.csv"
    file.write_bytes(b"\xef\xbb\xbfid_tag,owner\r\nA1,Ann\r\nB2,Bob\r\n")
    call_command("import_id_tags", file, "--dry-run")
    assert IdTag.objects.count() == 0
    call_command("import_id_tags", file)
    with pytest.raises(CommandError, match="nothing was imported"):
        call_command("import_id_tags", file)
    call_command("export_id_tags", tmp_path / "out.csv")
    call_command("export_id_tags")
    said = capsys.readouterr()
    assert said.out.splitlines()[:3] == [
        "would be imported: 2 new, 0 changed; 0 wrong",
        "imported: 2 new, 0 changed, 0 lines skipped",
        f"2 id tags in {tmp_path / 'out.csv'}",
    ]
    assert "line 2: id tag 'A1' is known already" in said.err
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines == [HEADER.strip(), "A1,Accepted,,,Ann,,,", "B2,Accepted,,,Bob,,,"]
    file.write_bytes(b"id_tag\n\xff\n")
    with pytest.raises(CommandError, match="utf-8"):
        call_command("import_id_tags", file)


def test_blanks_that_a_person_typed_around_a_tag_are_none_of_it() -> None:
    """No charger sends them: the tag would be known to nobody."""
    IdTag.objects.create(id_tag="Known")
    lines = ["id_tag, parent, status\n", " AA , flat-7 , Blocked\n", "flat-7\u00a0,,\n"]
    assert import_lines(lines).created == 2
    assert set(IdTag.objects.values_list("id_tag", "parent__id_tag", "status")) == {
        ("Known", None, "Accepted"),
        ("flat-7", None, "Accepted"),
        ("AA", "flat-7", "Blocked"),
    }
    problems = import_lines(["id_tag\n", "Known \n", "BB\n", " bb\n", "' \n"]).problems
    assert [str(item) for item in problems] == [
        "line 2: id tag 'Known' is known already (--update changes it)",
        "line 4: id tag 'bb' stands in line 3 already",
        "line 5: no id tag",
    ]


def test_blanks_that_a_charger_sent_with_a_tag_stay() -> None:
    """The export marks them; so that tag is changed, and no second one is added."""
    IdTag.objects.create(id_tag="CARD1   ", status="Recorded")
    text = exported()
    assert "'CARD1   ,Recorded" in text
    lines = io.StringIO(text.replace("Recorded", "Accepted"), newline="")
    assert import_lines(lines, update=True).updated == 1
    assert [(tag.id_tag, tag.status) for tag in IdTag.objects.all()] == [("CARD1   ", "Accepted")]


def test_a_known_tag_in_capitals_beyond_ascii_is_known() -> None:
    IdTag.objects.create(id_tag="ÄNNE")
    lines = [HEADER, "änne,Blocked,,,Ann,,,\n"]
    [problem] = import_lines(lines).problems
    assert "is known already" in problem.text
    assert import_lines(lines, update=True).updated == 1
    assert [(tag.id_tag, tag.status) for tag in IdTag.objects.all()] == [("ÄNNE", "Blocked")]
