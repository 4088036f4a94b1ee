"""A key of many chargers at once."""

from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from levity.ocpp.decisions.configuration import change_many
from levity.ocpp.models import ChargePoint, Command, ConfigurationKey, MassCommand

pytestmark = pytest.mark.django_db

MANY = reverse("levity:ocpp_chargepoint_configuration_many")


@pytest.fixture
def fleet(db: None) -> list[ChargePoint]:
    """Twenty chargers."""
    rows = [ChargePoint(identity=f"F{number:03}") for number in range(20)]
    return ChargePoint.objects.bulk_create(rows)


def ids(rows: list[ChargePoint]) -> str:
    return ",".join(str(row.pk) for row in rows)


def sent(browser: Client, rows: list[ChargePoint], key: str, **values: Any) -> Any:
    where = f"{MANY}?ids={ids(rows)}&key={key}"
    form = browser.get(where).context["form"]
    return browser.post(where, {"id": form["id"].value(), **values})


def test_the_selection_of_the_list_leads_there(
    browser_of_root: Client, fleet: list[ChargePoint]
) -> None:
    answer: Any = browser_of_root.post(
        reverse("levity:ocpp_chargepoint_changelist"),
        {"action": "change_configuration", ACTION_CHECKBOX_NAME: [row.pk for row in fleet]},
    )
    assert answer.url == f"{MANY}?ids={ids(fleet)}"
    page = browser_of_root.get(answer.url).content.decode()
    assert "Change a key of 20 chargers" in page


def test_more_than_an_address_holds_are_sent_in_a_form(browser_of_root: Client) -> None:
    """At most 400 could be selected; the others had to be found by hand."""
    rows = ChargePoint.objects.bulk_create(ChargePoint(identity=f"G{n:03}") for n in range(700))
    everybody = {"action": "change_configuration", "select_across": "1", "index": "0"}
    on: Any = browser_of_root.post(
        reverse("levity:ocpp_chargepoint_changelist"),
        {**everybody, ACTION_CHECKBOX_NAME: [rows[0].pk]},
    )
    assert on.context["address"] == MANY
    page: Any = browser_of_root.post(MANY, {"ids": on.context["ids"]})
    assert "Change a key of 700 chargers" in page.content.decode()
    said = {"ids": page.context["ids"], "key": "HeartbeatInterval"}
    asked: Any = browser_of_root.post(page.context["address"], said)
    assert "Yes, change it on 700 chargers" in asked.content.decode()
    batch = asked.context["form"]["id"].value()
    done: Any = browser_of_root.post(MANY, {**said, "id": batch, "value": "60"})
    mass = MassCommand.objects.get()
    assert done.url == reverse("levity:ocpp_masscommand_change", args=[mass.pk])
    assert mass.commands.count() == 700


def test_twenty_chargers_get_a_value_and_the_page_shows_how_far_it_is(
    browser_of_root: Client, fleet: list[ChargePoint]
) -> None:
    answer: Any = sent(browser_of_root, fleet, "HeartbeatInterval", value="60")
    commands = Command.objects.filter(action="ChangeConfiguration")
    assert commands.count() == 20
    assert Command.objects.filter(action="GetConfiguration").count() == 20
    states = [
        ("answered", "Accepted"),
        ("answered", "Rejected"),
        ("answered", "RebootRequired"),
        ("timed_out", ""),
    ]
    for row, (state, status) in zip(commands.order_by("pk"), states, strict=False):
        Command.objects.filter(pk=row.pk).update(state=state, result_status=status)
    [mass] = MassCommand.objects.all()
    assert answer.url == reverse("levity:ocpp_masscommand_change", args=[mass.pk])
    assert mass.payload == {"key": "HeartbeatInterval", "value": "60"}
    page = browser_of_root.get(answer.url).content.decode()
    assert "ChangeConfiguration to 20 charge points" in page
    assert "16 away" in page
    assert "1 refused" in page
    # That one and the one that did not answer are listed with the reason.
    assert (">F001</a>" in page, ">F003</a>" in page) == (True, True)
    retry = reverse("levity:ocpp_masscommand_retry", args=[mass.pk])
    assert browser_of_root.post(retry).status_code == 302
    assert commands.count() == 22


def test_a_second_click_sends_nothing_again(
    browser_of_root: Client, fleet: list[ChargePoint]
) -> None:
    where = f"{MANY}?ids={ids(fleet)}&key=HeartbeatInterval"
    form = browser_of_root.get(where).context["form"]
    said = {
        browser_of_root.post(where, {"id": form["id"].value(), "value": "60"})["Location"]
        for _ in range(2)
    }
    assert len(said) == 1
    assert Command.objects.count() == 40
    assert MassCommand.objects.count() == 1


def test_those_that_can_not_have_it_are_left_out_and_named(
    browser_of_root: Client, fleet: list[ChargePoint]
) -> None:
    ConfigurationKey.objects.create(
        charge_point=fleet[0],
        name="metervaluessampleddatamaxlength",
        key="MeterValuesSampledDataMaxLength",
        value="1",
    )
    answer: Any = sent(browser_of_root, fleet, "MeterValuesSampledData", value=["Voltage", "SoC"])
    assert Command.objects.filter(action="ChangeConfiguration").count() == 19
    page = browser_of_root.get(answer.url).content.decode()
    assert "1 left out (F000)" in page


def test_what_cuts_them_off_has_to_be_confirmed(
    browser_of_root: Client, fleet: list[ChargePoint]
) -> None:
    sent(browser_of_root, fleet, "CentralSystemURL", value="ws://x")
    assert not Command.objects.exists()
    sent(browser_of_root, fleet, "CentralSystemURL", value="ws://x", sure="on")
    assert Command.objects.count() == 40


def test_a_viewer_changes_nothing(browser_of_viewer: Client, fleet: list[ChargePoint]) -> None:
    assert browser_of_viewer.get(f"{MANY}?ids={ids(fleet)}").status_code == 403


def test_nothing_selected_leads_back(browser_of_root: Client) -> None:
    for chosen in ("", "x", "99999"):
        assert browser_of_root.get(f"{MANY}?ids={chosen}").status_code == 302


def test_three_hundred_take_as_many_statements_as_twenty(fleet: list[ChargePoint]) -> None:
    def statements(batch: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            change_many(ChargePoint.objects.all(), "HeartbeatInterval", "60", None, batch=batch)
        return len(captured)

    few = statements("few")
    ChargePoint.objects.bulk_create(ChargePoint(identity=f"M{number}") for number in range(280))
    assert statements("many") == few
    assert Command.objects.count() == 2 * (20 + 300)
