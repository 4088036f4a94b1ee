"""Signed values of a session, from the message to page, API and file."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.decisions.meter_keys import add_key, change_key, delete_key
from levity.ocpp.models import AuditEntry, ChargePoint, MeterKey, Site, Transaction
from levity.ocpp.rules.signed.verdict import Verdict
from levity.ocpp.store.signed import signed_sessions
from levity.ocpp.testing import NOW, CentralSystem, Charger, wire
from tests.api.conftest import caller, nobody_waits
from tests.ocpp.rules.signed.samples import ocmf_text, public_key, reading, wrapped
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "caller", "nobody_waits", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db
BEGIN, END = ocmf_text(reading("B", "100.000")), ocmf_text(reading("E", "105.2600"))


def charge(begin=BEGIN, end=END, identity="CP1"):
    """A session that was sent with these signed values in its stop; its number."""
    system, charger = CentralSystem(), Charger(identity)
    system.connect(charger)
    system.take(charger.boots())
    number = system.start(charger)
    data = [
        {
            "timestamp": wire(seconds),
            "sampledValue": [{"value": text, "format": "SignedData", "context": context}],
        }
        for seconds, text, context in (
            (0, begin, "Transaction.Begin"),
            (3600, end, "Transaction.End"),
        )
        if text
    ]
    system.take(charger.stops(number, transactionData=data))
    return number


def key_for(charger, **values):
    return add_key(MeterKey(charge_point=charger, **({"key": public_key()} | values)), None)


def verdict(number):
    return signed_sessions([number])[number].verdict


def test_the_signed_bytes_are_kept_and_judged_by_the_key_that_was_entered():
    number = charge(end=wrapped(END, public_key()))
    charger = ChargePoint.objects.get()
    assert verdict(number) is Verdict.UNCHECKED
    key_for(charger)
    found = signed_sessions([number])[number]
    assert (found.verdict, found.wh) == (Verdict.VERIFIED, 5260)
    assert [value.container.text for value in found.values] == [BEGIN, END]
    row = Transaction.objects.get()
    # The registers of StartTransaction and StopTransaction are other ones, and stay what they are.
    assert (row.energy, row.meter_stop) == (5000, 6000)


def test_a_key_is_that_of_a_connector_and_of_a_time():
    number = charge()
    charger = ChargePoint.objects.get()
    key = key_for(charger, connector=2)
    assert verdict(number) is Verdict.UNCHECKED
    change_key(key, {"connector": 1}, None)
    assert verdict(number) is Verdict.VERIFIED
    change_key(key, {"until": NOW + timedelta(minutes=30)}, None)
    assert verdict(number) is Verdict.UNCHECKED
    swapped = {"key": public_key("new meter"), "since": NOW + timedelta(minutes=30)}
    key_for(charger, connector=1, **swapped)
    assert verdict(number) is Verdict.FAILS
    delete_key(key, None)
    said = list(AuditEntry.objects.values_list("what", flat=True))
    assert {"meter key changed", "meter key deleted"} <= set(said)


def test_what_is_no_key_or_ends_before_it_begins_is_refused():
    charger = ChargePoint.objects.create(identity="CP1")
    with pytest.raises(ValidationError, match="can't be used as a public key"):
        key_for(charger, key="${jndi:ldap://x/a}")
    with pytest.raises(ValidationError, match="not after the time"):
        key_for(charger, since=NOW, until=NOW)


def test_many_sessions_take_as_many_statements_as_one_and_plain_ones_no_key():
    numbers = [charge(identity=f"CP{number}") for number in range(4)]
    plain = charge(None, None, identity="plain")
    with CaptureQueriesContext(connection) as one:
        signed_sessions(numbers[:1])
    with CaptureQueriesContext(connection) as many:
        found = signed_sessions([*numbers, plain])
    assert len(many) <= len(one)
    assert found[plain].verdict is None
    assert all(found[number].verdict is Verdict.UNCHECKED for number in numbers)


def test_the_page_shows_verdict_energy_and_the_file(browser, root):
    number = charge(end=ocmf_text(reading("E", "105.2600"), ID="<b>x"))
    key_for(ChargePoint.objects.get())
    client = browser(root)
    page = client.get(f"/admin/ocpp/transaction/{number}/change/").content.decode()
    assert "Signed meter values" in page
    assert "verified with your key" in page
    assert "5.260 kWh" in page
    file = client.get(f"/admin/ocpp/transaction/{number}/signed-values.xml")
    assert file["Content-Disposition"].startswith("attachment")
    texts = [each.findtext("signedData") for each in ET.fromstring(file.content)]
    assert texts[0] == BEGIN
    plain = charge(None, None, identity="plain")
    page = client.get(f"/admin/ocpp/transaction/{plain}/change/").content.decode()
    assert "Signed meter values" not in page


def test_somebody_of_another_site_gets_no_signed_value(browser, person):
    number = charge()
    clerk = person("clerk", "Viewer", sites=[Site.objects.create(name="Street")])
    answer = browser(clerk).get(f"/admin/ocpp/transaction/{number}/signed-values.xml")
    assert answer.status_code == 403


def test_keys_are_entered_on_their_page(browser, root):
    charger = ChargePoint.objects.create(identity="CP1")
    client = browser(root)
    add = "/admin/ocpp/meterkey/add/"
    form = {"charge_point": charger.pk, "key": "no key", "connector": "", "note": ""}
    assert "used as a public key" in client.post(add, form).content.decode()
    assert client.post(add, form | {"key": public_key()}).status_code == 302
    row = MeterKey.objects.get()
    assert row.key == public_key()
    change = f"/admin/ocpp/meterkey/{row.pk}/change/"
    assert client.post(change, form | {"key": public_key(), "note": "by hand"}).status_code == 302
    assert MeterKey.objects.get().note == "by hand"
    assert "by hand" in client.get("/admin/ocpp/meterkey/").content.decode()
    # Of the key and of its charge point.
    assert AuditEntry.objects.filter(what__startswith="meter key").count() == 4


def test_the_api_says_the_same_and_takes_keys(caller):
    number = charge(end=wrapped(END, public_key()))
    admin, reader = caller("admin"), caller("read")
    path = f"transactions/{number}/signed-values"
    assert reader.get(path)["verdict"] == "not checked"
    body = {"charge_point": "cp1", "key": public_key()}
    assert reader("POST", "meter-keys", body).status_code == 403
    assert admin("POST", "meter-keys", body | {"key": "none"}).status_code == 422
    made = admin("POST", "meter-keys", body)
    assert made.status_code == 201, made.content
    found = reader.get(path)
    assert (found["verdict"], found["energy_wh"]) == ("verified with your key", "5260.0000")
    assert found["values"][0]["data"] == BEGIN
    assert found["values"][1]["readings"][0]["energy_wh"] == "105260.0000"
    xml = reader("GET", f"{path}.xml")
    assert len(ET.fromstring(xml.content)) == 2
    [row] = reader.get("meter-keys")["items"]
    assert (row["charge_point"], row["key"]) == ("CP1", public_key())
    assert admin("DELETE", f"meter-keys/{row['id']}").status_code == 204
    assert reader.get(path)["verdict"] == "not checked"


def test_a_key_that_is_added_from_a_chargers_keys_is_that_chargers(browser, root):
    charger = ChargePoint.objects.create(identity="CP1")
    client = browser(root)
    page = client.get(
        "/admin/ocpp/meterkey/add/",
        {"_changelist_filters": f"charge_point__id__exact={charger.pk}"},
    ).content.decode()
    assert f'<option value="{charger.pk}" selected' in page
    for odd in ("charge_point__id__exact=x", "%", f"charge_point__id__exact={'9' * 30}"):
        address = "/admin/ocpp/meterkey/add/"
        assert client.get(address, {"_changelist_filters": odd}).status_code == 200
