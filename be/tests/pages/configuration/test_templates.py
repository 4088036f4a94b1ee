"""The pages of templates, drift and comparison."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from levity.accounts.models import Account
from levity.ocpp.decisions.configuration_templates import assign, save_template
from levity.ocpp.models import (
    AuditEntry,
    ChargePoint,
    ConfigurationKey,
    ConfigurationState,
    ConfigurationTemplate,
    TemplateAssignment,
)
from levity.ocpp.models import Site as Place
from tests.ocpp.charger import at

pytestmark = pytest.mark.django_db

ADD = reverse("levity:ocpp_configurationtemplate_add")
DRIFT = reverse("levity:ocpp_chargepoint_configuration_drift")
COMPARE = reverse("levity:ocpp_chargepoint_configuration_compare")


@pytest.fixture
def usual(db: None) -> ConfigurationTemplate:
    return save_template(
        ConfigurationTemplate(name="Usual"),
        None,
        {"HeartbeatInterval": "60", "LightIntensity": "5"},
    )


@pytest.fixture
def known(charger: ChargePoint) -> ChargePoint:
    """A charger of which two keys are known."""
    for key, value in (("HeartbeatInterval", "300"), ("LightIntensity", "5.0")):
        ConfigurationKey.objects.create(
            charge_point=charger, name=key.lower(), key=key, value=value, read_at=at()
        )
    return charger


def text(browser: Client, where: str) -> str:
    answer = browser.get(where)
    assert answer.status_code == 200
    return str(answer.content.decode())


def values(lines: str, **more: str) -> dict[str, str]:
    return {"name": "Mine", "lines": lines, "vendor": "", "model": "", "firmware": "", **more}


def test_a_template_is_made_of_lines(browser_of_root: Client) -> None:
    answer = browser_of_root.post(ADD, values("HeartbeatInterval = 60\n\nVendorKey=a=b"))
    assert answer.status_code == 302
    template = ConfigurationTemplate.objects.get()
    assert template.values == {"HeartbeatInterval": "60", "VendorKey": "a=b"}
    assert AuditEntry.objects.get().what == "added"
    page = text(
        browser_of_root, reverse("levity:ocpp_configurationtemplate_change", args=[template.pk])
    )
    assert "changes nothing yet" in page


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("HeartbeatInterval", "Line 1 has no “=”"),
        ("A=1\nA=2", "Line 2: A is there twice"),
        ("HeartbeatInterval=often", "HeartbeatInterval: it is a whole number of s"),
        ("WifiPassword=x", "is a secret"),
    ],
)
def test_what_is_wrong_names_its_line(browser_of_root: Client, lines: str, said: str) -> None:
    assert said in browser_of_root.post(ADD, values(lines)).content.decode()
    assert not ConfigurationTemplate.objects.exists()


def test_a_new_one_starts_with_values_that_are_good_for_most(browser_of_root: Client) -> None:
    assert "TransactionMessageAttempts = 10" in text(browser_of_root, ADD)


def test_a_new_one_can_start_with_those_of_a_charger(
    browser_of_root: Client, known: ChargePoint
) -> None:
    ConfigurationKey.objects.create(charge_point=known, name="wifipassword", key="WifiPassword")
    ConfigurationKey.objects.create(
        charge_point=known, name="numberofconnectors", key="NumberOfConnectors", value="1"
    )
    page = text(browser_of_root, f"{ADD}?from={known.pk}")
    assert "HeartbeatInterval = 300" in page
    assert "WifiPassword" not in page
    assert "NumberOfConnectors = " not in page


def test_it_is_assigned_with_one_click_on_the_page_of_a_charger(
    browser_of_root: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    page = reverse("levity:ocpp_chargepoint_configuration", args=[known.pk])
    assert "Use “Usual”" in text(browser_of_root, page)
    where = reverse("levity:ocpp_configurationtemplate_assign", args=[usual.pk])
    answer: Any = browser_of_root.post(where, {"charge_point": known.identity, "back": known.pk})
    assert answer.url == page
    assert TemplateAssignment.objects.get().charge_point == known
    shown = text(browser_of_root, page)
    assert "Use “Usual”" not in shown
    assert "1 key differs" in shown
    assert "60 (Usual)" in shown


def test_a_template_of_another_make_is_not_offered(
    browser_of_root: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    ConfigurationTemplate.objects.update(vendor="ABB")
    page = reverse("levity:ocpp_chargepoint_configuration", args=[known.pk])
    assert "Use “Usual”" not in text(browser_of_root, page)


def test_it_is_assigned_to_a_site_and_taken_back(
    browser_of_root: Client, usual: ConfigurationTemplate
) -> None:
    place = Place.objects.create(name="Here")
    where = reverse("levity:ocpp_configurationtemplate_assign", args=[usual.pk])
    browser_of_root.post(where, {"site": place.pk})
    row = TemplateAssignment.objects.get()
    assert row.site == place
    change = reverse("levity:ocpp_configurationtemplate_change", args=[usual.pk])
    assert "Here" in text(browser_of_root, change)
    browser_of_root.post(reverse("levity:ocpp_configurationtemplate_unassign", args=[row.pk]))
    assert not TemplateAssignment.objects.exists()


def test_an_identity_that_nobody_has_assigns_nothing(
    browser_of_root: Client, usual: ConfigurationTemplate
) -> None:
    """Least of all to all chargers."""
    where = reverse("levity:ocpp_configurationtemplate_assign", args=[usual.pk])
    browser_of_root.post(where, {"charge_point": "nobody"})
    browser_of_root.post(where, {"site": "99"})
    browser_of_root.post(where, {})
    assert not TemplateAssignment.objects.exists()
    browser_of_root.post(where, {"everywhere": "on"})
    row = TemplateAssignment.objects.get()
    assert (row.charge_point, row.site) == (None, None)


def test_a_template_that_is_deleted_leaves_chargers_as_they_are(
    browser_of_root: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    assign(usual, None)
    where = reverse("levity:ocpp_configurationtemplate_delete", args=[usual.pk])
    assert browser_of_root.get(where).status_code == 200
    assert browser_of_root.post(where, {"post": "yes"}).status_code == 302
    assert not ConfigurationTemplate.objects.exists()
    assert AuditEntry.objects.filter(what="deleted").count() == 1
    assert ConfigurationKey.objects.filter(charge_point=known).count() == 2


def test_the_list_of_drift_says_which_differ_and_why(
    browser_of_root: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    assert "No charger has a template" in text(browser_of_root, DRIFT)
    assign(usual, None)
    ConfigurationState.objects.create(charge_point=known, gave_up="3 tries since it booted")
    page = text(browser_of_root, DRIFT)
    assert "1 key differs" in page
    assert "3 tries since it booted" in page
    answer: Any = browser_of_root.get(reverse("levity:ocpp_chargepoint_configuration_drift_csv"))
    [row] = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))
    assert (row["key"], row["value"], row["wanted"]) == ("HeartbeatInterval", "300", "60")


def test_applying_tries_again(
    browser_of_root: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    assign(usual, None)
    ConfigurationState.objects.create(charge_point=known, is_held=True, tries_day=6, gave_up="x")
    for where in (
        reverse("levity:ocpp_chargepoint_configuration_apply_all"),
        reverse("levity:ocpp_chargepoint_configuration_apply", args=[known.pk]),
    ):
        ConfigurationState.objects.update(is_held=True, next_at=None)
        assert browser_of_root.get(where).status_code == 403
        assert browser_of_root.post(where).status_code == 302
        state = ConfigurationState.objects.get()
        assert (state.is_held, state.tries_day) == (False, 0)
        assert state.next_at is not None


def test_two_chargers_are_compared_differences_first(
    browser_of_root: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    other = ChargePoint.objects.create(identity="CP2")
    for key, value in (("heartbeatinterval", "300"), ("LightIntensity", "7"), ("Mine", "1")):
        ConfigurationKey.objects.create(
            charge_point=other, name=key.lower(), key=key, value=value, read_at=at()
        )
    where = {"left": known.identity, "right": "CP2"}
    answer: Any = browser_of_root.get(COMPARE, {**where, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["key"], row["differs"]) for row in rows] == [
        ("LightIntensity", "true"),
        ("Mine", "true"),
        ("HeartbeatInterval", "false"),
    ]
    assert "2 of 3 keys differ" in browser_of_root.get(COMPARE, where).content.decode()


def test_a_charger_is_compared_with_a_template(
    browser_of_root: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    page = browser_of_root.get(COMPARE, {"left": known.identity, "right": "Usual"})
    assert "1 of 2 keys differ" in page.content.decode()
    page = browser_of_root.get(COMPARE, {"left": known.identity, "right": "<nobody>"})
    assert "“&lt;nobody&gt;” is no charge point" in page.content.decode()


def test_somebody_limited_sees_only_their_own(
    browser_of_viewer: Client, viewer: Any, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    assign(usual, None)
    Account.objects.create(user=viewer, limited=True).sites.set([Place.objects.create(name="x")])
    assert known.identity not in text(browser_of_viewer, DRIFT)
    page = browser_of_viewer.get(COMPARE, {"left": known.identity, "right": "Usual"})
    assert "is no charge point at your sites" in page.content.decode()


def test_a_viewer_changes_nothing(
    browser_of_viewer: Client, known: ChargePoint, usual: ConfigurationTemplate
) -> None:
    for where in (
        reverse("levity:ocpp_configurationtemplate_assign", args=[usual.pk]),
        reverse("levity:ocpp_chargepoint_configuration_apply_all"),
        reverse("levity:ocpp_chargepoint_configuration_apply", args=[known.pk]),
    ):
        assert browser_of_viewer.post(where).status_code == 403
    assert browser_of_viewer.post(ADD, values("A=1")).status_code == 403
