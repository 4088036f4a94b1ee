"""Past sessions from a CSV file: added once, marked, refused with the line and the reason."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from levity.ocpp import changes
from levity.ocpp.decisions import history_csv
from levity.ocpp.decisions.history import import_history
from levity.ocpp.decisions.sessions import new_id, write
from levity.ocpp.decisions.spreadsheet_files import BadFile
from levity.ocpp.effects import StartTransaction
from levity.ocpp.models import AuditEntry, ChangedSession, ChargePoint, Site, Transaction
from levity.ocpp.rules.flags import class_of

pytestmark = pytest.mark.django_db
HEAD = "charge_point,connector,id_tag,started_at,stopped_at,meter_start,meter_stop"
LINE = "garage-1,1,04AA,2024-11-03 18:00:00,2024-11-03 20:00:00,1000,11000"


@pytest.fixture(autouse=True)
def charger():
    site = Site.objects.create(name="Garage", time_zone="Europe/Berlin")
    return ChargePoint.objects.create(identity="Garage-1", site=site)


def file(*lines, head=HEAD):
    return "\n".join([head, *lines]).encode()


def said(data, **options):
    return [str(problem) for problem in import_history(data, None, **options).problems]


def test_a_past_session_is_added_as_it_was_and_marked(charger):
    imported = import_history(file(LINE), None)
    assert (imported.done, imported.added, imported.known, imported.wh) == (True, 1, 0, 10_000)
    row = Transaction.objects.get()
    assert (row.charge_point, row.connector, row.id_tag, row.state) == (
        charger,
        1,
        "04AA",
        "stopped",
    )
    assert row.started_at == datetime(2024, 11, 3, 17, tzinfo=UTC)
    assert (row.meter_start, row.meter_stop, row.energy) == (1000, 11_000, 10_000)
    assert (row.flags, row.energy_source, row.confidence) == ("imported", "imported", "medium")
    assert class_of(row.flags, row.confidence) == "harmless"


def test_a_second_run_adds_nothing_and_a_trial_writes_nothing():
    data = file(LINE, LINE.replace("18:00:00", "20:30:00").replace("20:00:00", "21:00:00"))
    trial = import_history(data, None, dry_run=True)
    assert (trial.done, trial.added, Transaction.objects.count()) == (False, 2, 0)
    import_history(data, None)
    again = import_history(data, None)
    assert (again.added, again.known, again.problems) == (0, 2, [])
    assert Transaction.objects.count() == 2
    assert AuditEntry.objects.filter(what="imported").count() == 2


def test_what_levity_recorded_itself_is_known_and_what_overlaps_is_refused(charger):
    began = datetime(2024, 11, 3, 17, 0, 0, 400_000, tzinfo=UTC)
    own = Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag="04aa",
        started_at=began,
        stopped_at=began.replace(hour=19),
        state="stopped",
    )
    other_card = LINE.replace("04AA", "04BB")
    without_connector = other_card.replace("1,1,", "1,,")
    beside = other_card.replace("1,1,", "1,2,")
    inside = LINE.replace("18:00:00", "19:00:00").replace("04AA", "04CC").replace("1,1,", "1,2,")
    found = import_history(file(LINE, other_card, without_connector, beside, inside), None)
    assert found.known == 1
    assert [str(problem) for problem in found.problems] == [
        f"line 3: it overlaps session {own.pk} on its connector",
        f"line 4: it overlaps session {own.pk} on its connector",
        "line 6: it overlaps line 5 on its connector",
    ]
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (LINE.replace("garage-1", "garage-9"), "no charge point 'garage-9'"),
        (LINE.replace("2024-11-03 20:00:00", ""), "there is no stopped_at"),
        (LINE.replace("20:00:00", "17:00:00"), "it stopped before it started"),
        (LINE.replace("2024-11-03 20", "2026-11-03 20"), "more than a year"),
        (LINE.replace("2024-", "2090-"), "in the future"),
        (LINE.replace("2024-11-03 18:00:00", "03.11.2024 18 Uhr"), "is no time"),
        (LINE.replace("2024-11-03 18:00:00", "2024-10-27 02:30:00"), "write it with its offset"),
        (LINE.replace("2024-11-03 18:00:00", "2024-03-31 02:30:00"), "write it with its offset"),
        (LINE.replace(",1,", ",0,"), "connector '0' is no number"),
        (LINE.replace("04AA", "4.11E+13"), "lost its last digits"),
        (LINE.replace(",11000", ",900"), "below the one at the start"),
        (LINE.replace(",11000", ",many"), "is no number"),
        (LINE.replace(",11000", ",NaN"), "is no number"),
        (LINE.replace(",11000", ",1e99"), "is no number"),
        (LINE.replace(",11000", ",999999999999999"), "too large"),
        (LINE + ",1", "8 values where the first line has 7"),
        (LINE.replace(",1000,11000", ",,11000"), "neither energy_kwh (or energy_wh) nor the meter"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(line, why):
    good = LINE.replace("2024-11-03", "2024-11-05")
    [problem] = said(file(good, line))
    assert problem.startswith("line 3: ")
    assert why in problem
    assert not Transaction.objects.exists()
    assert import_history(file(good, line), None, skip_errors=True).added == 1


def test_other_systems_words_excels_separators_and_kwh_are_understood():
    head = "Charge Box ID;Tag;Start;End;kWh;Note"
    line = "garage-1;04ÄÄ;2024-11-03T18:00:00+02:00;2024-11-03T20:00:00+02:00;12,5;x"
    data = f"{head}\r\n{line}\r\n".encode("cp1252")
    found = import_history(data, None)
    row = Transaction.objects.get()
    assert (row.energy, row.connector, row.meter_start, row.confidence) == (
        12_500,
        None,
        None,
        "low",
    )
    assert row.started_at == datetime(2024, 11, 3, 16, tzinfo=UTC)
    assert any("Windows-1252" in note for note in found.notes)
    assert any("“Note”" in note for note in found.notes)


def test_times_are_those_of_the_zone_that_is_given():
    import_history(file(LINE), None, zone=ZoneInfo("America/Vancouver"))
    assert Transaction.objects.get().started_at == datetime(2024, 11, 4, 2, tzinfo=UTC)


def test_more_than_a_connector_can_deliver_is_in_no_total():
    import_history(file(LINE.replace(",11000", ",9000000")), None)
    row = Transaction.objects.get()
    assert (row.is_plausible, row.confidence) == (False, "low")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "must name the columns"),
        (b"id_tag,started_at\n", "none for charge_point, stopped_at"),
        (file(head="charge_point,charger,started_at,stopped_at"), "two columns mean"),
        (b"PK\x03\x04", "workbook"),
    ],
)
def test_what_is_no_such_file_is_refused(data, why):
    with pytest.raises(BadFile, match=why):
        import_history(data, None)


def test_a_file_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(history_csv, "MOST_LINES", 1)
    with pytest.raises(BadFile, match="split it"):
        import_history(file(LINE, LINE), None)


def test_hours_are_counted_but_no_event_is_sent(monkeypatch):
    told = []
    monkeypatch.setattr(changes.events, "wanted", lambda: frozenset(changes.events.SESSIONS))
    monkeypatch.setattr(changes.events, "tell", lambda *args: told.append(args))
    import_history(file(LINE), None)
    assert ChangedSession.objects.get().session == Transaction.objects.get().pk
    assert told == []


def test_statements_do_not_grow_with_the_lines():
    def lines(first, count):
        days = [(1 + number // 28, 1 + number % 28) for number in range(first, first + count)]
        return file(*(LINE.replace("2024-11-03", f"2024-{m:02}-{d:02}") for m, d in days))

    with CaptureQueriesContext(connection) as few:
        import_history(lines(0, 3), None)
    with CaptureQueriesContext(connection) as many:
        import_history(lines(10, 150), None)
    # (SQLite takes a thousand values at once.)
    assert len(many) <= len(few) + 8
    assert Transaction.objects.count() == 153


def test_the_command_prints_what_it_would_do_and_did(tmp_path: Path):
    path = tmp_path / "past.csv"
    path.write_bytes(file(LINE))
    for options, begin in (({"dry_run": True}, "would be imported"), ({}, "imported")):
        out, err = io.StringIO(), io.StringIO()
        call_command("import_history", str(path), stdout=out, stderr=err, **options)
        assert out.getvalue() == (
            f"{begin}: 1 sessions, 10.000 kWh, from 2024-11-03 to 2024-11-03; 0 were recorded "
            "already, 0 lines wrong\n"
        )
    assert err.getvalue() == "1 of 1 sessions\n"
    path.write_bytes(file(LINE.replace("garage-1", "other")))
    with pytest.raises(CommandError, match="nothing was imported"):
        call_command("import_history", str(path), stderr=io.StringIO())
    with pytest.raises(CommandError, match="no time zone"):
        call_command("import_history", str(path), tz="Berlin")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_history", str(tmp_path / "none.csv"))


def test_the_chain_of_a_connector_leaves_an_imported_session_as_it_is(charger):
    import_history(file(LINE), None)
    before = Transaction.objects.values().get()
    began = datetime(2024, 11, 4, 12, tzinfo=UTC)
    with transaction.atomic():
        start = StartTransaction(new_id(), 1, "04BB", Decimal(5000), began)
        write(charger, [start], began)
    assert Transaction.objects.values().get(pk=before["id"]) == before
