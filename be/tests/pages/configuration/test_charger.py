"""The page of a charger's configuration."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from levity.ocpp.models import ChargePoint, Command, ConfigurationKey
from levity.ocpp.models import Site as Place
from tests.ocpp.charger import at

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(charger: ChargePoint) -> ChargePoint:
    """A charger with a key of each kind."""
    for key, value, more in (
        ("HeartbeatInterval", "300", {}),
        ("LocalPreAuthorize", "True", {}),
        ("MeterValuesSampledData", "Voltage,Current.Import.L1", {}),
        ("MeterValuesSampledDataMaxLength", "2", {"readonly": True}),
        ("WifiPassword", "***", {"is_secret": True}),
        ("Vendor<Key>", "=1+1", {}),
        ("Old", None, {"is_unknown": True}),
    ):
        ConfigurationKey.objects.create(
            charge_point=charger, name=key.lower(), key=key, value=value, read_at=at(), **more
        )
    return charger


def address(row: ChargePoint, what: str = "") -> str:
    return reverse(f"levity:ocpp_chargepoint_configuration{what and '_' + what}", args=[row.pk])


def text(browser: Client, where: str) -> str:
    answer = browser.get(where)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_key_is_shown_with_what_it_means_and_its_unit(
    browser_of_root: Client, keys: ChargePoint
) -> None:
    page = text(browser_of_root, address(keys))
    assert "300 s" in page
    assert "Time after which it sends a heartbeat" in page
    assert "Vendor&lt;Key&gt;" in page
    assert "unknown to the charger" in page
    assert "secret, not stored" in page


def test_a_charger_that_was_never_asked_says_what_to_do(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    page = text(browser_of_root, address(charger))
    assert "“Read again” asks the charger for all of its keys" in page


def test_keys_are_found_by_key_value_and_meaning(
    browser_of_root: Client, keys: ChargePoint
) -> None:
    for words in ("heartbeat", "300", "nothing else to say"):
        page = text(browser_of_root, f"{address(keys)}?q={words}")
        assert "HeartbeatInterval" in page
        assert "LocalPreAuthorize" not in page
    assert "No key fits" in text(browser_of_root, f"{address(keys)}?q=nonsense")


def test_the_file_has_every_key_and_no_formula(browser_of_root: Client, keys: ChargePoint) -> None:
    answer: Any = browser_of_root.get(address(keys, "csv"))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(rows) == 7
    by_key = {row["key"]: row for row in rows}
    assert by_key["HeartbeatInterval"]["value"] == "300"
    assert by_key["HeartbeatInterval"]["unit"] == "s"
    assert not by_key["Vendor<Key>"]["value"].startswith("=")


def test_reading_again_asks_for_all_keys(browser_of_root: Client, keys: ChargePoint) -> None:
    answer = browser_of_root.post(address(keys, "read"))
    assert answer.status_code == 302
    command = Command.objects.get()
    assert (command.action, command.payload) == ("GetConfiguration", {})
    assert "read all keys" in text(browser_of_root, address(keys))


def changed(browser: Client, row: ChargePoint, key: str, **values: Any) -> Any:
    """Fill in the form of this key as it is shown, with these values, and send it."""
    where = f"{address(row, 'key')}?key={key}"
    form = browser.get(where).context["form"]
    return browser.post(where, {"id": form["id"].value(), **values})


@pytest.mark.parametrize(
    ("key", "values", "sent"),
    [
        ("HeartbeatInterval", {"value": "60"}, "60"),
        ("LocalPreAuthorize", {}, "false"),
        ("LocalPreAuthorize", {"value": "on"}, "true"),
        (
            "MeterValuesSampledData",
            {"value": ["Voltage"], "others": "Current.Import.L1"},
            "Voltage,Current.Import.L1",
        ),
        ("VendorKey", {"value": " as it is "}, " as it is "),
    ],
)
def test_the_form_fits_the_key(
    browser_of_root: Client, keys: ChargePoint, key: str, values: dict[str, Any], sent: str
) -> None:
    assert changed(browser_of_root, keys, key, **values).status_code == 302
    command = Command.objects.order_by("pk")[0]
    assert command.payload == {"key": key, "value": sent}


def test_a_list_that_is_too_long_for_the_charger_is_not_sent(
    browser_of_root: Client, keys: ChargePoint
) -> None:
    answer = changed(
        browser_of_root, keys, "MeterValuesSampledData", value=["Voltage", "SoC"], others="X"
    )
    assert "at most 2 entries" in answer.content.decode()
    assert not Command.objects.exists()


def test_a_switch_is_spelled_as_the_charger_does(
    browser_of_root: Client, keys: ChargePoint
) -> None:
    ConfigurationKey.objects.filter(name="localpreauthorize").update(value="1")
    changed(browser_of_root, keys, "LocalPreAuthorize")
    assert Command.objects.order_by("pk")[0].payload["value"] == "0"


def test_what_is_dangerous_has_to_be_confirmed(browser_of_root: Client, keys: ChargePoint) -> None:
    answer = changed(browser_of_root, keys, "BackendURL", value="ws://x")
    assert "Confirm that you want to change it" in answer.content.decode()
    assert not Command.objects.exists()
    assert (
        changed(browser_of_root, keys, "BackendURL", value="ws://x", sure="on").status_code == 302
    )


def test_the_key_of_the_charger_is_changed_under_security(
    browser_of_root: Client, keys: ChargePoint
) -> None:
    page = text(browser_of_root, f"{address(keys, 'key')}?key=AuthorizationKey")
    assert reverse("levity:ocpp_chargepoint_security", args=[keys.pk]) in page


def test_a_viewer_sees_and_changes_nothing(browser_of_viewer: Client, keys: ChargePoint) -> None:
    page = text(browser_of_viewer, address(keys))
    assert "Read again</button>" not in page
    assert browser_of_viewer.post(address(keys, "read")).status_code == 403
    assert browser_of_viewer.get(f"{address(keys, 'key')}?key=X").status_code == 403
    assert not Command.objects.exists()


def test_somebody_of_another_site_sees_nothing(
    browser_of_viewer: Client, viewer: Any, keys: ChargePoint
) -> None:
    from levity.accounts.models import Account

    account = Account.objects.create(user=viewer, limited=True)
    account.sites.set([Place.objects.create(name="elsewhere")])
    for what in ("", "csv"):
        assert browser_of_viewer.get(address(keys, what)).status_code == 404
    assert "HeartbeatInterval" not in text(
        browser_of_viewer, reverse("levity:ocpp_configurationkey_changelist")
    )


def test_a_page_that_renews_itself_brings_the_outcome(
    browser_of_root: Client, keys: ChargePoint
) -> None:
    browser_of_root.post(address(keys, "read"))
    Command.objects.update(state="answered")
    answer = browser_of_root.get(address(keys), headers={"X-Levity-Live": "-"})
    assert "answered with a result" in answer.content.decode()


def test_five_hundred_keys_take_as_many_statements_as_five(
    browser_of_root: Client, keys: ChargePoint, django_assert_max_num_queries: Any
) -> None:
    ConfigurationKey.objects.bulk_create(
        ConfigurationKey(charge_point=keys, name=f"k{number}", key=f"K{number}", value="v")
        for number in range(500)
    )
    with django_assert_max_num_queries(12):
        text(browser_of_root, address(keys))
