"""The ledger: found, filtered by local days, drawn, and taken away as CSV; never edited."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from levity.ocpp.models import ChargePoint, IdTag, Transaction
from levity.ocpp.rules.flags import MEANINGS
from levity.pages.chargers.csv_export import cell
from tests.kept import keep

LIST = "/admin/ocpp/transaction/"
START = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)


def transaction(charger: ChargePoint, **values: object) -> Transaction:
    fields: dict[str, object] = {
        "charge_point": charger,
        "connector": 1,
        "id_tag": "TAG",
        "started_at": START,
        "start_received_at": START,
        "meter_start": Decimal(1000),
    }
    return Transaction.objects.create(**{**fields, **values})


def found(client: Client, query: dict[str, str]) -> list[int]:
    return [item.pk for item in client.get(LIST, query).context["cl"].result_list]


def test_a_day_is_a_day_of_the_site_with_both_its_ends(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    # 2026-03-29 has 23 hours in Berlin: from 23:00 UTC the day before to 22:00 UTC.
    moments = [datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in ((28, 22), (28, 23))]
    moments += [datetime(2026, 3, 29, 21, 59, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)]
    keys = [transaction(charger, started_at=moment).pk for moment in moments]
    day = {"started_at_from": "2026-03-29", "started_at_to": "2026-03-29"}
    assert found(browser_of_root, day) == [keys[2], keys[1]]
    assert found(browser_of_root, {"started_at_to": "2026-03-28"}) == [keys[0]]


def test_search_finds_number_tag_and_charge_point(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    other = ChargePoint.objects.create(identity="OTHER", name="Court")
    first = transaction(charger, id_tag="abc").pk
    second = transaction(other, id_tag="def").pk
    assert found(browser_of_root, {"q": "ABC"}) == [first]
    assert found(browser_of_root, {"q": f"#{second}"}) == [second]
    assert found(browser_of_root, {"q": "Cou"}) == [second]
    assert found(browser_of_root, {"q": charger.identity}) == [first]


def test_a_session_without_an_id_tag_has_an_unknown_payer(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    """On the list, the session, the overview and in the CSV; a filter finds it for who bills."""
    known = transaction(charger, id_tag="CARD").pk
    unknown = transaction(charger, id_tag="", flags="no-id-tag").pk
    assert found(browser_of_root, {"payer": "unknown"}) == [unknown]
    assert found(browser_of_root, {"payer": "known"}) == [known]
    assert found(browser_of_root, {"payer": "'"}) == [unknown, known]
    for page in (LIST, f"{LIST}{unknown}/change/", "/admin/"):
        assert "unknown payer" in browser_of_root.get(page).content.decode()
    assert "unknown payer" not in browser_of_root.get(f"{LIST}{known}/change/").content.decode()
    header, *lines = rows(browser_of_root.get(f"{LIST}export/", {"payer": "unknown"}))
    assert [line[header.index("id tag")] for line in lines] == ["unknown payer"]


def rows(answer: object) -> list[list[str]]:
    assert isinstance(answer, StreamingHttpResponse)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]  # not async here
    return list(csv.reader(text.splitlines()))


def test_csv_has_both_clocks_units_and_no_formulas(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    item = transaction(
        charger,
        id_tag='=HYPERLINK("x")',
        stopped_at=START + timedelta(minutes=90),
        stop_received_at=START + timedelta(minutes=91),
        meter_stop=Decimal(8250),
        energy=Decimal(7250),
        state="stopped",
        stop_reason="@SUM(A1)",
        stop_id_tag="-1",
        flags="\tx",
        energy_source="registers",
        confidence="high",
    )
    answer = browser_of_root.get(f"{LIST}export/")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    header, row = rows(answer)
    assert dict(zip(header, row, strict=True)) == {
        "transaction": str(item.pk),
        "charge point": charger.identity,
        "name": "",
        "connector": "1",
        "id tag": '\'=HYPERLINK("x")',
        "owner": "",
        "group": "",
        "state": "stopped",
        "started (UTC)": "2026-03-28 23:30:00",
        "started (local)": "2026-03-29 00:30:00+01:00",
        "stopped (UTC)": "2026-03-29 01:00:00",
        "stopped (local)": "2026-03-29 03:00:00+02:00",
        "start received (UTC)": "2026-03-28 23:30:00",
        "stop received (UTC)": "2026-03-29 01:01:00",
        "duration (s)": "5400",
        "meter start (Wh)": "1000.000",
        "meter stop (Wh)": "8250.000",
        "energy (kWh)": "7.250",
        "energy not counted (kWh)": "",
        "energy from": "registers",
        "confidence": "high",
        "stop reason": "'@SUM(A1)",
        "stop id tag": "'-1",
        "flags": "'\tx",
        "before billing": "harmless",
    }


def test_an_implausible_figure_is_in_no_sum_of_the_column(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    """Nor is it hidden: it has a column of its own, and the list says what it is."""
    transaction(charger, energy=7250)
    transaction(charger, energy=910_031_000, flags="implausible-energy", connector=2)
    header, *found_rows = rows(browser_of_root.get(f"{LIST}export/"))
    cells = [dict(zip(header, row, strict=True)) for row in found_rows]
    assert {(row["energy (kWh)"], row["energy not counted (kWh)"]) for row in cells} == {
        ("7.250", ""),
        ("", "910031.000"),
    }
    page = browser_of_root.get(LIST).content.decode()
    assert "(implausible)" in page


def test_a_residents_sessions_are_found_and_taken_away_by_name(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    """Whatever card of the household it was, and however the charger spells it."""
    flat = IdTag.objects.create(id_tag="flat-7", owner="Anna Berg")
    IdTag.objects.create(id_tag="Card-1", parent=flat)
    IdTag.objects.create(id_tag="Card-2", parent=flat, owner="Ben =Berg")
    IdTag.objects.create(id_tag="Card-3", owner="Cleo")
    keys = [transaction(charger, id_tag=tag).pk for tag in ("CARD-1", "card-2", "card-3", "x")]
    assert found(browser_of_root, {"q": "anna"}) == [keys[1], keys[0]]
    assert found(browser_of_root, {"q": "Ben"}) == [keys[1]]
    header, *found_rows = rows(browser_of_root.get(f"{LIST}export/?q=berg"))
    owner, group = header.index("owner"), header.index("group")
    assert [(row[owner], row[group]) for row in found_rows] == [
        ("Ben =Berg", "flat-7"),
        ("Anna Berg", "flat-7"),
    ]
    assert b"Anna Berg" in browser_of_root.get(LIST).content
    assert [row[owner] for row in rows(browser_of_root.get(f"{LIST}export/?q=x"))[1:]] == [""]


def test_names_of_residents_are_for_those_who_may_see_id_tags(
    charger: ChargePoint, client: Client
) -> None:
    IdTag.objects.create(id_tag="card", owner="Anna Berg")
    transaction(charger, id_tag="card")
    person = get_user_model().objects.create_user("clerk", password="x", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_transaction"))
    client.force_login(person)
    assert b"Anna" not in client.get(LIST).content
    assert found(client, {"q": "Anna"}) == []
    header, row = rows(client.get(f"{LIST}export/"))
    assert row[header.index("owner")] == ""


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t1", "\r1"])
def test_a_text_that_a_spreadsheet_takes_for_a_formula_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell(f"x{text}") == f"x{text}"


@pytest.mark.parametrize("end", [";", "\t", "\r", "\n"])
def test_so_does_what_a_spreadsheet_with_another_separator_takes_for_one(end: str) -> None:
    """A tab and a line break end a cell in such a one: what is behind them begins another."""
    assert cell(f"a{end}=1+1{end}b{end}'=1") == f"a{end}'=1+1{end}b{end}''=1"


def test_csv_follows_the_filter_the_selection_and_the_permission(
    charger: ChargePoint, browser_of_root: Client, browser_of_viewer: Client, client: Client
) -> None:
    keys = [transaction(charger, id_tag=tag).pk for tag in ("A", "B", "C")]
    assert [row[0] for row in rows(browser_of_root.get(f"{LIST}export/?q=B"))[1:]] == [str(keys[1])]
    chosen = {"action": "export_selected", "_selected_action": keys[1:]}
    selected = rows(browser_of_viewer.post(LIST, chosen))
    assert [row[0] for row in selected[1:]] == [str(keys[2]), str(keys[1])]
    assert client.get(f"{LIST}export/").status_code == 302
    assert browser_of_root.get(f"{LIST}export/?charge_point__x=1").status_code in (302, 400)


def test_csv_of_many_rows_takes_one_query(charger: ChargePoint, browser_of_root: Client) -> None:
    for number in range(30):
        transaction(charger, id_tag=str(number))
    answer = browser_of_root.get(f"{LIST}export/")
    with CaptureQueriesContext(connection) as asked:
        assert len(rows(answer)) == 31
    assert len(asked) == 1


def test_nothing_on_the_books_can_be_changed_or_removed(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    item = transaction(charger)
    page = f"{LIST}{item.pk}/"
    answers = (
        browser_of_root.post(f"{page}change/", {"energy": "0"}),
        browser_of_root.post(f"{page}delete/", {"post": "yes"}),
        browser_of_root.get(f"{LIST}add/"),
        browser_of_root.post(
            reverse("admin:ocpp_chargepoint_delete", args=[charger.pk]), {"post": "yes"}
        ),
    )
    # A charge point with sessions is retired, not deleted: the way leads there.
    assert [answer.status_code for answer in answers] == [403, 403, 403, 302]
    assert Transaction.objects.get() == item
    assert ChargePoint.objects.get() == charger


def test_a_charge_point_without_transactions_may_go(browser_of_root: Client) -> None:
    wrong = ChargePoint.objects.create(identity="TYPO")
    page = reverse("admin:ocpp_chargepoint_delete", args=[wrong.pk])
    assert "with its log" in browser_of_root.get(page).content.decode()
    assert browser_of_root.post(page, {"post": "yes"}).status_code == 302
    assert not ChargePoint.objects.exists()


def test_meter_values_come_in_pages_the_newest_first(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    item = transaction(charger)
    for minute in range(120):
        said = {"measurand": "Power.Active.Import", "raw_value": str(minute)}
        keep(charger, START + timedelta(minutes=minute), said, transaction=item)
    page = f"{LIST}{item.pk}/change/"
    values = browser_of_root.get(page).context["values"]
    assert [value.raw_value for value in values] == [str(value) for value in range(119, 69, -1)]
    assert len(browser_of_root.get(page, {"page": "3"}).context["values"]) == 20
    assert browser_of_root.get(page, {"page": "x"}).context["values"].number == 1


def test_a_session_whose_clock_was_never_set_is_found_on_the_day_it_was_heard_of(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    """1970-01-01 is in no month that anybody bills; what a backlog says of its time is believed."""
    heard = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    unset = transaction(
        charger,
        started_at=datetime(1970, 1, 1, tzinfo=UTC),
        start_received_at=heard,
        energy=Decimal(4000),
    )
    late = transaction(
        charger, started_at=datetime(2026, 2, 1, tzinfo=UTC), start_received_at=heard
    )

    def found(days: str) -> set[int]:
        return {int(row[0]) for row in rows(browser_of_root.get(f"{LIST}export/?{days}"))[1:]}

    assert found("started_at_from=2026-03-28&started_at_to=2026-03-28") == {unset.pk}
    assert found("started_at_from=2026-03-29") == set()
    assert found("started_at_to=2026-03-27") == {late.pk}
    assert found("started_at_from=2026-03-01") == {unset.pk}
    assert found("") == {unset.pk, late.pk}


def test_its_energy_is_this_months(charger: ChargePoint, browser_of_root: Client) -> None:
    """On the overview."""
    transaction(
        charger,
        started_at=datetime(1970, 1, 1, tzinfo=UTC),
        start_received_at=timezone.now(),
        energy=Decimal(4321),
    )
    page = browser_of_root.get("/admin/").content.decode()
    assert page.count("4.321 kWh") >= 2


def test_each_flag_says_what_it_means(charger: ChargePoint, browser_of_root: Client) -> None:
    odd = transaction(charger, flags="implausible-energy an-extensions<own>")
    page = browser_of_root.get(f"{LIST}{odd.pk}/change/").content.decode()
    assert "implausible-energy" in page
    assert MEANINGS["implausible-energy"].meaning in page
    assert "an-extensions&lt;own&gt;" in page
    assert '<span class="lv-badge lv-bad">do not bill</span> implausible-energy' in page


CLASSES = {
    "": "harmless",
    "late-stop own-id:4711": "harmless",
    "an-extensions<own>": "harmless",
    "id-tag-blocked": "look",
    "own-id:4711 orphaned late-stop": "look",
    "orphaned started-twice": "do-not-bill",
    # Names that hold the name of another flag.
    "not-orphaned orphaned-too": "harmless",
}


def test_a_treasurer_finds_what_to_look_at_and_what_not_to_bill(
    charger: ChargePoint, browser_of_root: Client
) -> None:
    wanted: dict[str, set[int]] = {"harmless": set(), "look": set(), "do-not-bill": set()}
    for number, (flags, category) in enumerate(CLASSES.items()):
        item = transaction(charger, flags=flags, meter_start=number, confidence="high")
        wanted[category].add(item.pk)
    # What is of low confidence is looked at, whatever its flags say.
    wanted["look"].add(transaction(charger, confidence="low", meter_start=90).pk)
    grave = transaction(charger, confidence="low", flags="implausible-energy", meter_start=91)
    wanted["do-not-bill"].add(grave.pk)
    told = {category: set(found(browser_of_root, {"class": category})) for category in wanted}
    assert told == wanted
    assert set(found(browser_of_root, {"class": "nonsense"})) == set().union(*wanted.values())
    header, *lines = rows(browser_of_root.get(f"{LIST}export/"))
    column = header.index("before billing")
    assert {int(line[0]): line[column] for line in lines} == {
        pk: category for category, keys in wanted.items() for pk in keys
    }
    page = browser_of_root.get(LIST).content.decode()
    assert page.count('<span class="lv-badge lv-warn">look</span>') == 3
    assert page.count('<span class="lv-badge lv-bad">do not bill</span>') == 2
