"""Charge points by CSV: first what the file would do, then all of it, or nothing."""

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.deciding import NotAllowed
from levity.ocpp.decisions.charge_points_csv import (
    BadFile,
    export_lines,
    import_charge_points,
    read_charge_points,
)
from levity.ocpp.models import AuditEntry, ChargePoint, Site
from tests.ocpp.decisions.people import limited_to, stranger_at

pytestmark = pytest.mark.django_db


def as_csv() -> str:
    out = io.StringIO()
    csv.writer(out).writerows(export_lines(ChargePoint.objects.order_by("pk")))
    return out.getvalue()


def test_what_is_exported_is_read_as_no_change() -> None:
    site = Site.objects.create(name="=Garage")
    ChargePoint.objects.create(
        identity="A", name="-1+1", site=site, notes="two\nlines; 'so'", max_power=11_000
    )
    ChargePoint.objects.create(identity="@B", authorization="known", vendor="=cmd()")
    text = as_csv()
    assert ",'@B,"[1:] in text
    read = read_charge_points(text, None)
    assert (read.lines, read.problems, read.same) == ([], [], 2)


def test_a_file_adds_and_changes_and_each_has_its_entry() -> None:
    Site.objects.create(name="Garage", security_profile=1)
    ChargePoint.objects.create(identity="A", name="old", heartbeat_interval=60, notes="stay")
    text = "Identity;Name;Site;Heartbeat interval s\na;new;garage;\nB;Bay 2;Garage;30\n"
    before = read_charge_points(text, None)
    assert [(line.row.identity, line.is_new, line.text) for line in before.lines] == [
        ("A", False, "name: old → new; site: none → Garage; heartbeat_interval_s: 60 → none"),
        ("B", True, "name: none → Bay 2; site: none → Garage; heartbeat_interval_s: none → 30"),
    ]
    assert ChargePoint.objects.get().name == "old"
    done = import_charge_points(text, None)
    assert (done.done, done.new, done.changed) == (True, 1, 1)
    first, second = ChargePoint.objects.order_by("pk")
    assert (first.name, first.heartbeat_interval, first.notes) == ("new", None, "stay")
    assert (second.security_profile, second.heartbeat_interval) == (1, 30)
    entry = AuditEntry.objects.get(what__startswith="changed")
    assert entry.what == "changed by a CSV import: name, site, heartbeat_interval"
    assert entry.after == {"name": "new", "site": "Garage", "heartbeat_interval": None}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("identity,site\nA,Nowhere\n", "line 2: site: there is no site 'Nowhere'"),
        ("identity\na/b\n", "line 2: identity: Letters, digits"),
        ("identity\nA\na\n", "line 3: a is already in line 2"),
        ("identity,max_power_w\nA,9 kW\n", "line 2: max_power_w: '9 kW' is not a whole number"),
        ("identity,authorization\nA,all\n", "line 2: authorization: 'all' is none of"),
        ("identity,time_zone\nA,Mars\n", "line 2: time_zone: “Mars” is not a time zone"),
        ("identity,name\nA\n", "line 2: 1 values where the first line has 2"),
        ("identity,name\n,x\n", "line 2: identity: Letters, digits"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_written(text: str, problem: str) -> None:
    read = import_charge_points(text + "GOOD" + "," * text.split("\n")[0].count(",") + "\n", None)
    assert [said.startswith(problem) for said in read.problems] == [True], read.problems
    assert not read.done
    assert not ChargePoint.objects.exists()


@pytest.mark.parametrize("text", ["", "name\nA\n", "identity,key\nA,1\n", "identity,identity\n"])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(BadFile):
        read_charge_points(text, None)


def test_who_sees_one_site_changes_only_that_and_learns_nothing_of_others() -> None:
    mine = Site.objects.create(name="mine")
    ChargePoint.objects.create(identity="MINE", site=mine)
    stranger_at("THEIRS")
    who = limited_to(mine)
    read = read_charge_points("identity,name\nMINE,x\nTHEIRS,x\nNOBODY,x\n", who)
    assert len(read.lines) == 1
    said = [text.replace("THEIRS", "N").replace("NOBODY", "N") for text in read.problems]
    assert said[0].removeprefix("line 3") == said[1].removeprefix("line 4")
    known = read_charge_points("identity,site\nMINE,site of THEIRS\nMINE2,\n", who).problems[0]
    assert known == "line 2: site: there is no site 'site of THEIRS'"


def test_who_may_change_none_reads_no_file() -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    with pytest.raises(NotAllowed):
        read_charge_points("identity\nA\n", viewer)


def test_a_long_file_asks_no_more_often() -> None:
    counts = []
    for size in (3, 60):
        lines = "".join(f"{size}-{number},x\n" for number in range(size))
        with CaptureQueriesContext(connection) as queries:
            assert import_charge_points("identity,name\n" + lines, None).new == size
        counts.append(len(queries))
    # SQLite takes some twenty new rows in one statement.
    assert counts[1] <= counts[0] + 3
