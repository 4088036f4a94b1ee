"""What people read on the pages is right, and means what they take it for.

Named after what happened: NEWCOMER B6, B8, B10, B16, and the empty lists.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from levity.accounts.models import Account
from levity.ocpp.models import ChargePoint, Command, IdTag, Site, Transaction
from tests.kept import keep

LIST = "/admin/ocpp/chargepoint/"


def seen(client: Client, path: str) -> str:
    answer = client.get(path)
    assert (answer.status_code, path) == (200, path)
    return str(answer.content.decode())


def found(client: Client, query: str) -> list[Any]:
    return [item.identity for item in client.get(f"{LIST}?{query}").context["cl"].result_list]


def test_a_charger_whose_connectors_charge_is_not_available(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """B6: connector 0, the charge point as a whole, said Available, and it was listed."""
    charger.connectors.update(status="Charging")
    charger.connectors.create(number=0, status="Available")
    assert found(browser_of_root, "status=Available") == []
    assert found(browser_of_root, "status=Charging") == [charger.identity]


def test_the_limit_of_meters_is_not_taken_for_a_limit_of_charging(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """B8: "Max power" was the only power that one finds on the page, and limits nothing."""
    page = seen(browser_of_root, f"{LIST}{charger.pk}/change/?tab=details")
    assert "Max power" not in page
    assert "Highest power of a connector" in page
    assert "This does not limit charging" in page


def test_energy_is_in_kwh_with_a_sign_for_thousands(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """B10: "1013142.000 Wh" stood beside kWh."""
    session = Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag="A",
        started_at=timezone.now(),
        meter_start=Decimal("1013142.5"),
        meter_last=Decimal("5804201.5"),
        meter_last_at=timezone.now(),
        energy=Decimal(4_791_059),
    )
    said = {"measurand": "Energy.Active.Import.Register", "raw_value": "5804201.5", "unit": "Wh"}
    keep(charger, timezone.now(), said, transaction=session)
    page = seen(browser_of_root, f"/admin/ocpp/transaction/{session.pk}/change/")
    assert "1,013.142 kWh" in page
    assert "4,791.059 kWh" in page
    assert "1013142" not in page
    assert "5,804.202 kWh" in seen(browser_of_root, "/admin/ocpp/metervalue/")


def test_dates_are_written_in_one_way(browser_of_root: Client, root: User) -> None:
    """Those of users were American: "Nov. 29, 2026, 12:42 p.m."."""
    User.objects.update(date_joined=datetime(2026, 11, 29, 11, 42, 7, tzinfo=UTC))
    command = Command(action="Reset", charge_point=ChargePoint.objects.create(identity="X"))
    command.save()
    page = seen(browser_of_root, f"/admin/auth/user/{root.pk}/change/")
    assert "p.m." not in page
    assert "a.m." not in page
    assert "Nov. " not in page


def test_a_command_is_called_after_its_charger(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """B16: the breadcrumb said "GetConfiguration to 2", which was the row's key."""
    ChargePoint.objects.filter(pk=charger.pk).update(identity="DEMO-02")
    command = Command.objects.create(charge_point=charger, action="GetConfiguration")
    page = seen(browser_of_root, f"/admin/ocpp/command/{command.pk}/change/")
    assert "GetConfiguration to DEMO-02" in page
    assert f"GetConfiguration to {charger.pk}" not in page


def test_who_asked_on_the_pages_is_named_once(
    browser_of_root: Client, charger: ChargePoint, root: User
) -> None:
    """It said "admin · admin": the login, and the part of Levity."""
    asked = {"charge_point": charger, "action": "GetConfiguration", "requested_by": root}
    for source, shown in (("admin", "root"), ("a script", "root · a script")):
        command = Command.objects.create(source=source, **asked)
        page = seen(browser_of_root, f"/admin/ocpp/command/{command.pk}/change/")
        assert f">{shown}<" in "".join(page.split("\n")).replace("  ", "")


def test_nothing_is_one_kind_of_dash(browser_of_root: Client) -> None:
    """Beside each other stood "-" and an en dash."""
    IdTag.objects.create(id_tag="04A1B2C301")
    page = "".join(seen(browser_of_root, "/admin/ocpp/idtag/").split())
    assert ">\N{EN DASH}<" in page
    assert ">-<" not in page


def test_an_empty_list_says_what_that_means(browser_of_root: Client) -> None:
    """Every one said "This page yielded into no results", the quarantine, too."""
    pages = {
        "ocpp/quarantinedmessage/": "Nothing awaits a decision",
        "ocpp/quarantinedmessage/?open=yes": "Nothing awaits a decision",
        "ocpp/failedmessage/?open=yes": "No failed message is open",
        "ocpp/chargepoint/": "No charge point has connected yet",
        "ocpp/chargepoint/?q=nowhere": "No charge points found",
        "ocpp/transaction/": "Nothing has been charged yet",
        "ocpp/idtag/": "There are no cards yet",
        "operation/alert/?open=yes": "No alert is open",
    }
    for path, text in pages.items():
        page = seen(browser_of_root, f"/admin/{path}")
        assert (path, text in page, "yielded" in page) == (path, True, False)


def test_the_empty_list_of_chargers_shows_the_address_to_enter(browser_of_root: Client) -> None:
    assert "lv-address" in seen(browser_of_root, LIST)
    assert "lv-address" not in seen(browser_of_root, f"{LIST}?q=nowhere")


def test_somebody_of_one_site_reads_no_names_of_another(
    browser_of_viewer: Client, viewer: User
) -> None:
    """ATTACK C5: of a tag that is good at both, on its page and in the file."""
    here, there = Site.objects.create(name="A"), Site.objects.create(name="B")
    mine = ChargePoint.objects.create(identity="MINE-1", site=here)
    theirs = ChargePoint.objects.create(identity="THEIRS-1", site=there)
    group = IdTag.objects.create(id_tag="HOUSE")
    shared = IdTag.objects.create(id_tag="SHARED", parent=group)
    other = IdTag.objects.create(id_tag="OTHER", parent=group)
    group.charge_points.set([mine, theirs])
    shared.charge_points.set([mine, theirs])
    other.charge_points.set([theirs])
    account, _ = Account.objects.get_or_create(user=viewer)
    account.limited = True
    account.save()
    account.sites.set([here])
    pages = [
        seen(browser_of_viewer, f"/admin/ocpp/idtag/{item.pk}/change/") for item in (shared, group)
    ]
    lines = b"".join(browser_of_viewer.get("/admin/ocpp/idtag/export/").streaming_content)  # type: ignore[attr-defined]
    for text in (*pages, lines.decode(), seen(browser_of_viewer, "/admin/ocpp/idtag/")):
        assert "THEIRS-1" not in text
        assert "OTHER" not in text
    assert all("MINE-1" in text for text in (*pages, lines.decode()))


def test_a_tag_with_a_semicolon_is_no_formula_for_a_german_spreadsheet(
    browser_of_root: Client, charger: ChargePoint
) -> None:
    """`a;=1+1;b`: where `;` separates cells, the second one is a formula."""
    hostile = "a;=1+1;b"
    IdTag.objects.create(id_tag=hostile, owner=hostile, notes=f"x\n=2;\t@y;{hostile}")
    Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag=hostile,
        started_at=timezone.now(),
        meter_start=0,
        stop_reason=hostile,
        stop_id_tag=hostile,
    )
    for path in ("ocpp/idtag/export/", "ocpp/transaction/export/"):
        answer: Any = browser_of_root.get(f"/admin/{path}")
        text = b"".join(answer.streaming_content).decode()
        for separator in ",;\t":
            cells = [cell for line in text.splitlines() for cell in line.split(separator)]
            bad = [cell for cell in cells if cell.lstrip('"').startswith(("=", "@", "+"))]
            assert (path, separator, bad) == (path, separator, [])


def test_an_identity_is_written_as_it_is_in_the_breadcrumb(browser_of_root: Client) -> None:
    """It said "Garage-1" for garage-1, which is another charger's name in an address."""
    item = ChargePoint.objects.create(identity="garage-1")
    command = Command.objects.create(charge_point=item, action="Reset")
    for path in (
        f"ocpp/chargepoint/{item.pk}/change/",
        f"ocpp/chargepoint/{item.pk}/history/",
        f"ocpp/chargepoint/{item.pk}/delete/",
        f"ocpp/chargepoint/{item.pk}/retire/",
        f"ocpp/chargepoint/{item.pk}/send/reset-soft/",
        f"ocpp/command/{command.pk}/change/",
        "ocpp/chargepoint/",
    ):
        page = browser_of_root.get(f"/admin/{path}").content.decode()
        assert "garage-1" in page
        assert "Garage-1" not in page, path
