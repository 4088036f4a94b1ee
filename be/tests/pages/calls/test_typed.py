"""Forms of commands: one for each Call, and what is filled in becomes a valid payload."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import ChargePoint, Command, IdTag, Site, Transaction
from levity.ocpp.versions import V16
from levity.pages.calls.examples import examples
from levity.pages.calls.facts import Facts
from levity.pages.calls.kinds import KINDS
from levity.pages.calls.typed import initial_of
from tests.pages.calls.filling import data_of, filled

DESCRIBED = {slug: kind.described for slug, kind in KINDS.items() if kind.described}


@pytest.fixture
def charger(db: None) -> ChargePoint:
    berlin = Site.objects.create(name="Berlin", time_zone="Europe/Berlin")
    found = ChargePoint.objects.create(identity="CP-1", site=berlin)
    for number in (1, 2):
        found.connectors.create(number=number, status="Available")
    Transaction.objects.create(
        charge_point=found, connector=2, started_at="2026-01-01T00:00Z", meter_start=0
    )
    return found


def form_of(slug: str, charger: ChargePoint | None, data: dict[str, Any], user: Any = None) -> Any:
    whole = {"key": str(uuid4()), **data}
    return KINDS[slug].form(whole, charge_point=charger, user=user)


def test_every_call_that_can_be_sent_has_a_form() -> None:
    assert {form.action for form in V16.calls.forms} == set(V16.calls.actions)
    slugs = [form.slug for form in V16.calls.forms]
    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("slug", DESCRIBED)
def test_what_is_filled_in_is_the_payload(slug: str, charger: ChargePoint) -> None:
    facts, described = Facts(charger), DESCRIBED[slug]
    wanted = examples(facts)[described.action] | dict(described.fixed or {})
    form = form_of(slug, charger, data_of(described, wanted, facts))
    assert form.is_valid(), form.errors
    assert form.payload() == wanted
    assert V16.schemas.finding(form.action, form.payload()) is None


@pytest.mark.parametrize("charge_point", [True, False])
def test_every_example_is_valid(charge_point: bool, charger: ChargePoint) -> None:
    found = examples(Facts(charger if charge_point else None))
    assert set(found) == set(V16.calls.actions)
    assert {
        action: V16.calls.wrong_with(action, found[action]) for action in found
    } == dict.fromkeys(found, "")


def test_an_example_is_of_the_charger_itself(charger: ChargePoint, root: User) -> None:
    IdTag.objects.create(id_tag="04FF00AA", owner="Anna")
    running = charger.transactions.get()
    found = examples(Facts(charger, root))
    assert found["RemoteStopTransaction"] == {"transactionId": running.pk}
    assert found["RemoteStartTransaction"]["idTag"] == "04FF00AA"


class Inputs(HTMLParser):
    """What a browser would send of a form: the inputs by name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.name = ""
        self.is_text = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") != "checkbox":
            self.sent[given["name"]] = given.get("value") or ""
        elif tag in ("select", "textarea"):
            self.name, self.is_text = given["name"], tag == "textarea"
            self.sent[self.name] = ""
        elif tag == "option" and "selected" in given:
            self.sent[self.name] = given["value"] or ""

    def handle_data(self, data: str) -> None:
        if self.is_text:
            self.sent[self.name] += data

    def handle_endtag(self, tag: str) -> None:
        self.is_text = False


def within(part: Any, whole: Any) -> bool:
    """Whether everything that `part` says stands in `whole`, too."""
    if isinstance(part, dict):
        return all(name in whole and within(value, whole[name]) for name, value in part.items())
    return bool(part == whole)


@pytest.mark.parametrize("slug", DESCRIBED)
def test_a_payload_fills_the_form_that_sends_it(slug: str, charger: ChargePoint) -> None:
    """A template, or the same again."""
    facts, described = Facts(charger), DESCRIBED[slug]
    payload = examples(facts)[described.action] | dict(described.fixed or {})
    form = KINDS[slug].form(charge_point=charger, initial=initial_of(described, payload))
    shown = Inputs(str(form)).sent
    if slug == "stop":
        shown |= filled(slug, charger)
    sent = form_of(slug, charger, shown)
    assert sent.is_valid(), sent.errors
    assert within(payload, sent.payload())


def test_times_are_local_ones_of_the_site(charger: ChargePoint) -> None:
    data = {**filled("reserve", charger), "p-expiryDate": "2026-07-01T18:30"}
    form = form_of("reserve", charger, data)
    assert form.is_valid(), form.errors
    assert form.payload()["expiryDate"] == "2026-07-01T16:30:00.000Z"
    shown = KINDS["reserve"].form(charge_point=charger)
    assert "Until (Europe/Berlin)" in str(shown)


@pytest.mark.parametrize("text", ["tomorrow", "275760-09-13T00:00", "0001-01-01T00:00", "\0"])
def test_what_is_no_time_is_refused(text: str, charger: ChargePoint) -> None:
    form = form_of("reserve", charger, {**filled("reserve", charger), "p-expiryDate": text})
    assert list(form.errors) == ["p-expiryDate"]


PERIODS = "p-csChargingProfiles-chargingSchedule-chargingSchedulePeriod"


def test_rows_that_nothing_was_typed_into_are_none(charger: ChargePoint) -> None:
    data = filled("charging-profile", charger)
    data |= {f"{PERIODS}-1-startPeriod": "3600", f"{PERIODS}-1-limit": "10.6"}
    data |= {
        f"{PERIODS}-2-startPeriod": "",
        f"{PERIODS}-2-limit": "",
        f"{PERIODS}-2-numberPhases": "",
    }
    form = form_of("charging-profile", charger, data)
    assert form.is_valid(), form.errors
    schedule = form.payload()["csChargingProfiles"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 16.0},
        {"startPeriod": 3600, "limit": 10.6},
    ]
    assert (
        json.dumps(schedule["chargingSchedulePeriod"][1]) == '{"startPeriod": 3600, "limit": 10.6}'
    )


def test_a_row_that_is_wrong_names_itself_and_its_field(charger: ChargePoint) -> None:
    data = filled("charging-profile", charger)
    data |= {f"{PERIODS}-1-startPeriod": "soon", f"{PERIODS}-1-limit": ""}
    form = form_of("charging-profile", charger, data)
    assert form.errors == {
        PERIODS: [
            "Row 2, Begins after (s): Enter a whole number.",
            "Row 2, Limit (A or W): This field is required.",
        ]
    }
    # What was typed is still there.
    assert 'value="soon"' in str(form)


def test_a_session_is_started_with_a_limit_of_its_own(charger: ChargePoint) -> None:
    data = {"p-connectorId": "1", "p-idTag": "04AA"}
    assert "chargingProfile" not in _payload(form_of("start", charger, data))
    rows = "p-chargingProfile-chargingSchedule-chargingSchedulePeriod-0"
    limited = {**data, f"{rows}-startPeriod": "0", f"{rows}-limit": "10"}
    assert _payload(form_of("start", charger, limited))["chargingProfile"] == {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
        },
    }


def _payload(form: Any) -> dict[str, Any]:
    assert form.is_valid(), form.errors
    payload: dict[str, Any] = form.payload()
    assert V16.schemas.finding(form.action, payload) is None
    return payload


def test_a_list_without_status_removes_an_entry(charger: ChargePoint) -> None:
    data = filled("local-list", charger) | {
        "p-updateType": "Differential",
        "p-localAuthorizationList-0-idTagInfo-status": "",
    }
    form = form_of("local-list", charger, data)
    assert form.is_valid(), form.errors
    assert form.payload()["localAuthorizationList"] == [{"idTag": "04A1B2C301"}]


def test_clearing_all_profiles_is_confirmed(charger: ChargePoint) -> None:
    form = form_of("clear-profiles", charger, {})
    assert list(form.errors) == ["confirm_all"]
    assert form_of("clear-profiles", charger, {"confirm_all": "on"}).is_valid()
    one = form_of("clear-profiles", charger, {"p-id": "7"})
    assert one.is_valid()
    assert one.payload() == {"id": 7}


def test_a_value_of_a_key_may_be_empty(charger: ChargePoint) -> None:
    form = form_of("change-key", charger, {"p-key": "LightIntensity", "p-value": ""})
    assert form.is_valid()
    assert form.payload() == {"key": "LightIntensity", "value": ""}


WRONG = (
    ("Reset", {"type": "Warm"}, "Reset: type must be Hard or Soft"),
    ("Reset", {}, "Reset: type is missing"),
    ("Reset", {"Type": "Soft"}, "Reset: type is missing"),
    ("Reset", {"type": "Soft", "typ": 1}, "Reset: there is no field 'typ': did you mean type?"),
    ("ClearCache", {"a": 1}, "ClearCache: there is no field 'a': it has none"),
    (
        "UnlockConnector",
        {"connectorId": "1"},
        "UnlockConnector: connectorId must be a whole number",
    ),
    (
        "ChangeConfiguration",
        {"key": "K" * 51, "value": ""},
        "ChangeConfiguration: key may have at most 50 characters",
    ),
    (
        "ReserveNow",
        {"connectorId": 1, "expiryDate": "soon", "idTag": "A", "reservationId": 1},
        "ReserveNow: expiryDate must be a time such as 2026-01-31T12:00:00Z",
    ),
    (
        "SendLocalList",
        {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [{"idTagInfo": {}}]},
        "SendLocalList: localAuthorizationList.0.idTag is missing",
    ),
    ("reset", {}, "'reset' is not a command of OCPP 1.6: did you mean Reset?"),
)


@pytest.mark.parametrize(("action", "payload", "said"), WRONG)
def test_what_is_wrong_is_said_plainly(action: str, payload: Any, said: str) -> None:
    assert V16.calls.wrong_with(action, payload) == said


def test_id_tags_are_suggested_to_who_may_see_them(
    charger: ChargePoint, browser_of_root: Client, browser_of_viewer: Client
) -> None:
    for number in range(150):
        IdTag.objects.create(id_tag=f"TAG{number:03}", owner=f"Person {number}")
    address = reverse("levity:ocpp_chargepoint_tags")
    found = browser_of_root.get(address, {"q": "erson 14"}).json()["tags"]
    assert found[0] == ["TAG014", "Person 14"]
    assert len(browser_of_root.get(address).json()["tags"]) == 100
    assert browser_of_viewer.get(address).status_code == 403


def test_an_address_fills_the_form(charger: ChargePoint, browser_of_root: Client) -> None:
    address = reverse("levity:ocpp_chargepoint_send", args=[charger.pk, "unlock"])
    page = browser_of_root.get(address, {"connectorId": "2"}).content.decode()
    assert '<option value="2" selected>' in page
    box = reverse("levity:ocpp_chargepoint_send", args=[charger.pk, "command"])
    page = browser_of_root.get(box, {"call": "ReserveNow"}).content.decode()
    assert '<option value="ReserveNow" selected>' in page
    assert "&quot;expiryDate&quot;" in page


def test_a_form_is_sent_as_it_was_filled_in(charger: ChargePoint, browser_of_root: Client) -> None:
    address = reverse("levity:ocpp_chargepoint_send", args=[charger.pk, "availability"])
    data = {"key": str(uuid4()), "p-connectorId": "2", "p-type": "Inoperative"}
    assert browser_of_root.post(address, data).status_code == 302
    sent = Command.objects.get()
    assert (sent.action, sent.payload) == (
        "ChangeAvailability",
        {"connectorId": 2, "type": "Inoperative"},
    )
    assert abs((sent.created_at - datetime.now(UTC)).total_seconds()) < 60
