"""Id tags in and out as CSV."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from levity.ocpp.decisions.id_tags import import_tags
from levity.ocpp.decisions.id_tags_csv import export_lines, sample
from levity.ocpp.decisions.id_tags_import import import_file, import_lines
from levity.ocpp.decisions.spreadsheet_files import BadFile
from levity.ocpp.models import AuditEntry, ChargePoint, IdTag

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
            tag.type,
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
            type=("", *IdTag.Type.values)[number % 9],
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
        "line 3: id tag 'KNOWN' already exists",
        "line 4: id tag 'GOOD' is already in line 2",
        "line 6: status 'Allowed' is none of Accepted, Blocked, Recorded",
        "line 7: expires_at 'tomorrow' is not a date or time such as 2026-12-31",
        "line 8: unknown parent 'nobody'",
        "line 10: no charge point 'CP9'",
        "line 11: max_transactions 'many' is not a whole number",
        "line 12: a tag can't be its own parent",
        "line 13: 2 values where the first line has 8",
        "line 14: unknown parent 'a'",
    ]
    assert not done.done
    assert [tag.id_tag for tag in IdTag.objects.all()] == ["Known"]
    assert import_lines(io.StringIO(text, newline=""), skip_errors=True).done
    assert sorted(tag.id_tag for tag in IdTag.objects.all()) == ["Known", "good"]


def test_an_update_changes_only_the_columns_of_the_file() -> None:
    """D-18: and finds the tag whatever its case."""
    IdTag.objects.create(id_tag="Tag", owner="Ann", notes="red", status="Recorded")
    import_lines(io.StringIO("id_tag;status\ntAG;blocked\n"), update=True)
    assert state() == [("Tag", "Blocked", None, None, "Ann", [], None, "red", "")]


def test_the_kind_of_token_is_an_optional_column() -> None:
    """However it is spelled; files of before have no such column."""
    IdTag.objects.create(id_tag="known", type="Local")
    text = "id_tag,Token type\na,iso14443\nb,\nc,EMAID\n"
    assert import_lines(io.StringIO(text)).done
    assert import_lines(io.StringIO("id_tag,owner\nknown,Ann\n"), update=True).done
    types = dict(IdTag.objects.values_list("id_tag", "type"))
    assert types == {"known": "Local", "a": "ISO14443", "b": "", "c": "eMAID"}
    [problem] = import_lines(io.StringIO("id_tag,type\nd,RFID\n")).problems
    assert str(problem) == (
        "line 2: type 'RFID' is none of Central, eMAID, ISO14443, ISO15693, KeyCode, Local, "
        "MacAddress, NoAuthorization"
    )


def test_a_date_is_good_until_its_end_at_the_site(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    import_lines(io.StringIO("id_tag,expires_at\na,2026-12-31\nb,2026-12-31T08:00\n"))
    assert [tag.expires_at for tag in IdTag.objects.order_by("id_tag")] == [
        datetime(2026, 12, 31, 23, tzinfo=UTC),
        datetime(2026, 12, 31, 7, tzinfo=UTC),
    ]


def test_a_date_comes_back_as_that_date(settings: Any) -> None:
    """2026-12-31 was exported as the midnight after it: 2026-12-31T23:00:00+00:00."""
    settings.TIME_ZONE = "Europe/Berlin"
    import_lines(["id_tag,expires_at\n", "a,2026-12-31\n", "b,2026-12-31T08:00\n"])
    cells = [line.split(",")[2] for line in exported().splitlines()]
    assert cells == ["expires_at", "2026-12-31", "2026-12-31T08:00:00+01:00"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the first line must name the columns"),
        ("Ann,Bob\n", "the first line must name the columns"),
        ("owner,notes\n", "names no id tag column"),
        ("id_tag,colour\n", "unknown column “colour”: rename it"),
        ("id_tag,RFID\n", "two columns mean id_tag"),
        ("User1 4011223344\n", "separate them with a comma"),
        ('id_tag\n"abc', "not valid CSV"),
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
    assert "line 2: id tag 'A1' already exists (--update changes it)" in said.err
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines == [f"{HEADER.strip()},type", "A1,Accepted,,,Ann,,,,", "B2,Accepted,,,Bob,,,,"]
    # Excel's own CSV; a byte that is no text anywhere is one in Windows-1252, and shown.
    file.write_bytes("id_tag,owner\nC3,Müller\n".encode("cp1252"))
    call_command("import_id_tags", file)
    assert "read as Windows-1252, for example “Müller”" in capsys.readouterr().err
    assert IdTag.objects.get(id_tag="C3").owner == "Müller"


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
        "line 2: id tag 'Known' already exists",
        "line 4: id tag 'bb' is already in line 3",
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
    assert "already exists" in problem.text
    assert import_lines(lines, update=True).updated == 1
    assert [(tag.id_tag, tag.status) for tag in IdTag.objects.all()] == [("ÄNNE", "Blocked")]


GERMAN = "id_tag;status;expires_at;owner\n6AA1;Accepted;31.12.2030;Müller\n"
END_OF_2030 = datetime(2031, 1, 1, tzinfo=UTC)
FILES = {
    "LITE-ON, no heading": (
        b"0123456789,2030-12-31T16:00:00.000,,Accepted\n1123456789,,,Blocked\n",
        [("0123456789", "Accepted", "", 2030), ("1123456789", "Blocked", "", None)],
    ),
    "LITE-ON, its names": (
        b"CARD_IDTAG,EXPIRY_DATE,PARENT_CARD_IDTAG,CARD_STATUS\n21234567,2030-12-31,,Accepted\n",
        [("21234567", "Accepted", "", 2031)],
    ),
    "one card a line": (
        b"3AA0\r\n3AB1\r\n",
        [("3AA0", "Accepted", "", None), ("3AB1", "Accepted", "", None)],
    ),
    "card and name": (b"04A1B2C3,Ann Smith\n", [("04A1B2C3", "Accepted", "Ann Smith", None)]),
    "name and card": (b"Ann Smith;04A1B2C3\n", [("04A1B2C3", "Accepted", "Ann Smith", None)]),
    "SteVe": (
        (
            b"idTag,parentIdTag,expiryDate,maxActiveTransactionCount,note,inTransaction\n"
            b"5AA1,,,-1,flat 5,false\n"
        ),
        [("5AA1", "Accepted", "", None)],
    ),
    "be.ENERGISED": (
        b"Tag ID;Card number;Card label;Comment;Expires at;Active?\n7AA1;0815;Ann;;31.12.2030;no\n",
        None,
    ),
    "be.ENERGISED, one note": (
        b"Tag ID;Card label;Comment;Expires at;Active?\n7AA1;Ann;lost;31.12.2030;no\n",
        [("7AA1", "Blocked", "Ann", 2031)],
    ),
    "blocked as a word": (
        b"RFID,name,blocked\nAB12,Ann,yes\nAB13,Bob,no\n",
        [("AB12", "Blocked", "Ann", None), ("AB13", "Accepted", "Bob", None)],
    ),
    "Excel, German": (GERMAN.encode("cp1252"), [("6AA1", "Accepted", "Müller", 2031)]),
    "Excel, UTF-8": (GERMAN.encode("utf-8-sig"), [("6AA1", "Accepted", "Müller", 2031)]),
    "Excel, Unicode text": (
        GERMAN.replace(";", "\t").encode("utf-16"),
        [("6AA1", "Accepted", "Müller", 2031)],
    ),
    "UTF-16 without a mark": (GERMAN.encode("utf-16-be"), [("6AA1", "Accepted", "Müller", 2031)]),
    "DOS": (GERMAN.encode("cp850"), [("6AA1", "Accepted", "Müller", 2031)]),
    "sep=": (b"sep=;\r\nid_tag;owner\r\nAA1;Ann, Bob\r\n", [("AA1", "Accepted", "Ann, Bob", None)]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_as_another_system_saves_it_goes_in(name: str) -> None:
    """c33: none of them did."""
    data, expected = FILES[name]
    if expected is None:
        with pytest.raises(BadFile, match="two columns mean notes"):
            import_file(data)
        return
    done = import_file(data)
    assert (done.problems, done.done) == ([], True)
    assert [
        (tag.id_tag, tag.status, tag.owner, tag.expires_at and tag.expires_at.year)
        for tag in IdTag.objects.order_by("id_tag")
    ] == expected


@pytest.mark.parametrize("begin", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_is_told_from_csv(admin_client: Client, begin: bytes) -> None:
    """It said "the first line must name the columns"."""
    file = SimpleUploadedFile("cards.xlsx", begin + bytes(range(256)) * 8)
    page = admin_client.post("/admin/ocpp/idtag/import/", {"file": file}).content.decode()
    assert "This is a workbook" in page
    assert "save the sheet with the id tags as “CSV UTF-8”" in page
    assert not IdTag.objects.exists()


def test_what_was_assumed_of_a_file_is_said() -> None:
    assert import_file(GERMAN.encode()).notes == []
    [note] = import_file(GERMAN.encode("cp1252"), update=True).notes
    assert note.startswith(
        "The file is not in UTF-8 and was read as Windows-1252, for example “Müller”"
    )
    [note] = import_file(b"AA11,Ann\n").notes
    assert note == "The first line names no columns; they are assumed to be id_tag, owner."


def test_one_card_in_two_spellings_is_pointed_out() -> None:
    """04:65:.. and 0465.. are two tags, because chargers compare letters; a person should know."""
    IdTag.objects.create(id_tag="04656B82")
    done = import_lines(["id_tag\n", "04:65:6B:82\n", "AABBCCDD\n", "aa bb cc dd\n", "flat-7\n"])
    assert done.created == 4
    assert [note.partition(" look")[0] for note in done.notes] == [
        "Line 2: '04:65:6B:82' and '04656B82'",
        "Line 3: 'AABBCCDD' and 'aa bb cc dd'",
    ]


def test_the_sample_is_a_file_that_goes_in() -> None:
    done = import_file(sample().encode())
    assert (done.problems, done.notes, done.created) == ([], [], 2)


def test_each_tag_that_is_new_or_another_has_an_entry_with_what_changed() -> None:
    """Of a file with 300 cards, the history of none of them said a word."""
    ChargePoint.objects.create(identity="CP1")
    group = IdTag.objects.create(id_tag="GROUP")
    IdTag.objects.create(id_tag="SAME", owner="Ann")
    IdTag.objects.create(id_tag="OTHER", owner="Bob", notes="in the drawer")
    text = HEADER + (
        "SAME,Accepted,,,Ann,,,\nother,Blocked,,GROUP,Bob,CP1,,lost\nNEW,Accepted,,,Eve,,,secret\n"
    )
    import_tags(text.encode(), None, update=True)
    entries = AuditEntry.objects.order_by("object_name").values_list(
        "object_name", "what", "before", "after"
    )
    assert list(entries) == [
        (
            "NEW",
            "added by a CSV import",
            None,
            {
                "status": "Accepted",
                "expires_at": None,
                "parent": None,
                "owner": "Eve",
                "charge_points": [],
                "max_transactions": None,
            },
        ),
        (
            "OTHER",
            "changed by a CSV import: status, notes, parent, charge_points",
            {"status": "Accepted", "parent": None, "charge_points": []},
            {"status": "Blocked", "parent": group.pk, "charge_points": ["CP1"]},
        ),
    ]


def test_a_trial_leaves_no_entry() -> None:
    import_tags(b"id_tag\nNEW\n", None, dry_run=True)
    assert not AuditEntry.objects.exists()
