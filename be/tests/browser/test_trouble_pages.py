"""What did not go as it should, and what a person does about it: by keyboard, on a phone."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from levity.monitoring.models import Alert
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
    FailedMessage,
    IdTag,
    MeterValueCorrection,
    QuarantinedMessage,
    Site,
    Transaction,
)
from levity.pages.kit import going_on
from tests.browser.visits import DESKTOP, PHONE, Visit

pytestmark = pytest.mark.browser
WHEN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STOP = (
    '{"transactionId":4711,"meterStop":6000,"timestamp":"2026-11-22T12:30:00Z","idTag":"%s",'
    '"reason":"EVDisconnected"}'
)
# Where screenshots go for somebody who wants to look.
PICTURES = os.environ.get("LEVITY_PICTURES")


@pytest.fixture
def trouble(charger: ChargePoint) -> dict[str, int]:
    """One of everything, with the longest words that a charger can think of."""
    charger.site = Site.objects.create(name="Home", time_zone="Europe/Berlin")
    charger.save()
    running = Transaction.objects.create(
        charge_point=charger,
        connector=1,
        id_tag="W" * 255,
        started_at=WHEN,
        start_received_at=WHEN,
        meter_start=1000,
        energy=Decimal(500),
    )
    stop = QuarantinedMessage.objects.create(
        charge_point=charger,
        action="StopTransaction",
        unique_id="m1",
        payload=STOP % ("W" * 200),
        payload_hash="1",
        reason="no such transaction",
        received_at=WHEN + timedelta(minutes=30),
        last_received_at=WHEN + timedelta(minutes=40),
        repeated=3,
    )
    correction = MeterValueCorrection.objects.create(
        run=uuid4(),
        transaction=running,
        field="energy",
        old_value=Decimal("8250000.125"),
        new_value=Decimal("7250.5"),
        reason="rises by 8249000 Wh in 60 s; at most 888 can",
        corrected_at=WHEN,
    )
    failed = FailedMessage.objects.create(
        charge_point=charger,
        identity=charger.identity,
        connection=uuid4(),
        seq=1,
        action="StartTransaction",
        text='[2,"1","StartTransaction",{"connectorId":1,"idTag":"T","meterStart":1,'
        '"timestamp":"2026-11-22T12:00:00Z"}]',
        received_at=WHEN,
        failed_at=WHEN,
        traceback="Traceback\n" + "x" * 300,
    )
    alert = Alert.objects.create(
        kind="charger-fault",
        severity="critical",
        charge_point=charger,
        site=charger.site,
        summary=f"CP1 reports {'W' * 200}",
        detail="x" * 300,
        raised_at=WHEN,
        last_at=WHEN,
    )
    CertificateAuthority.objects.create(
        organization="W" * 64,
        certificate="x",
        fingerprint="f" * 64,
        not_before=WHEN,
        not_after=WHEN + timedelta(days=7_300),
    )
    asked = ChargePointCertificate.objects.create(
        charge_point=charger,
        identity=charger.identity,
        csr="x" * 300,
        key_kind="EC 256",
        key_fingerprint="f" * 64,
        requested_at=WHEN,
    )
    group = IdTag.objects.create(id_tag="flat-7", status="Blocked", max_transactions=2)
    card = IdTag.objects.create(id_tag="W" * 255, owner="Ann", parent=group)
    return {
        "transaction": running.pk,
        "stop": stop.pk,
        "correction": correction.pk,
        "failed": failed.pk,
        "group": group.pk,
        "card": card.pk,
        "alert": alert.pk,
        "asked": asked.pk,
    }


PAGES = {
    "quarantine": "/admin/ocpp/quarantinedmessage/",
    "quarantined": "/admin/ocpp/quarantinedmessage/{stop}/change/",
    "attach": "/admin/ocpp/quarantinedmessage/{stop}/decide/attach/?transaction={transaction}",
    "make": "/admin/ocpp/quarantinedmessage/{stop}/decide/make/",
    "discard": "/admin/ocpp/quarantinedmessage/{stop}/decide/discard/",
    "corrections": "/admin/ocpp/metervaluecorrection/",
    "correction": "/admin/ocpp/metervaluecorrection/{correction}/change/",
    "failed-messages": "/admin/ocpp/failedmessage/",
    "failed-message": "/admin/ocpp/failedmessage/{failed}/change/",
    "take-again": "/admin/ocpp/failedmessage/replay/?ids={failed}",
    "alerts": "/admin/operation/alert/",
    "alert": "/admin/operation/alert/{alert}/change/",
    "certificates": "/admin/ocpp/chargepointcertificate/",
    "certificate": "/admin/ocpp/chargepointcertificate/{asked}/change/",
    "approve": "/admin/ocpp/chargepointcertificate/{asked}/decide/approve/",
    "authorities": "/admin/ocpp/certificateauthority/",
    "id-tags": "/admin/ocpp/idtag/",
    "group": "/admin/ocpp/idtag/{group}/change/",
    "card": "/admin/ocpp/idtag/{card}/change/",
    "import": "/admin/ocpp/idtag/import/",
}


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_of_trouble_scrolls_sideways(
    visit: Callable[[Any], Visit], root: User, trouble: dict[str, int], size: dict[str, int]
) -> None:
    seen = visit(size)
    for name, path in PAGES.items():
        page = seen.go(path.format(**trouble))
        width = page.evaluate("document.documentElement.scrollWidth")
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{size['width']}.png", full_page=True)
        assert (name, width) == (name, size["width"])
    assert seen.complaints == []


def test_a_stop_is_attached_and_taken_back_by_keyboard(
    visit: Callable[[Any], Visit], root: User, trouble: dict[str, int]
) -> None:
    """From the list of what is open to the books, and back."""
    running = Transaction.objects.get()
    seen = visit(DESKTOP)
    page = seen.go(PAGES["quarantined"].format(**trouble))
    seen.tab_to("Attach")
    page.keyboard.press("Enter")
    page.wait_for_selector("form[data-once]")
    assert page.input_value("[name=transaction]") == str(running.pk)
    seen.tab_to("Yes, attach to a transaction")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Undo the decision")
    running.refresh_from_db()
    assert (running.state, running.energy) == ("stopped", Decimal(5000))
    seen.tab_to("Undo the decision")
    page.keyboard.press("Enter")
    page.wait_for_selector("form[data-once]")
    seen.tab_to("Yes, undo the decision")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Transactions of this charge point around that time")
    running.refresh_from_db()
    assert (running.state, running.energy) == ("active", Decimal(500))
    assert seen.complaints == []


def test_a_session_is_made_on_a_phone(
    visit: Callable[[Any], Visit], root: User, trouble: dict[str, int]
) -> None:
    """What the message does not tell is asked for, and a wrong time is said at its field."""
    seen = visit(PHONE)
    page = seen.go(PAGES["make"].format(**trouble))
    page.fill("[name=started_at]", "noon")
    page.fill("[name=meter_start]", "1000")
    page.click("button.lv-primary")
    page.wait_for_selector("text=Enter a valid date/time.")
    page.fill("[name=started_at]", "2026-11-22T13:05:00+01:00")
    page.click("button.lv-primary")
    page.wait_for_selector("text=Undo the decision")
    made = Transaction.objects.get(flags__contains="by-hand")
    assert (made.started_at, made.energy) == (WHEN + timedelta(minutes=5), Decimal(5000))
    assert seen.complaints == []


def test_a_failed_message_is_taken_again_by_keyboard(
    visit: Callable[[Any], Visit], root: User, trouble: dict[str, int]
) -> None:
    seen = visit(DESKTOP)
    page = seen.go(PAGES["failed-message"].format(**trouble))
    seen.tab_to("Replay")
    page.keyboard.press("Enter")
    page.wait_for_selector("form[data-once]")
    seen.tab_to("Yes, replay")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Processed: 1.")
    assert FailedMessage.objects.get().replayed_at is not None
    assert Transaction.objects.filter(id_tag="T").count() == 1
    assert seen.complaints == []


def test_an_alert_is_acknowledged_and_taken_back_by_keyboard_on_a_phone(
    visit: Callable[[Any], Visit], root: User, trouble: dict[str, int]
) -> None:
    seen = visit(PHONE)
    page = seen.go(PAGES["alert"].format(**trouble))
    seen.tab_to("Acknowledge")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=root is handling it")
    assert Alert.objects.get().acknowledged_by == "root"
    seen.tab_to("Withdraw acknowledgement")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Acknowledge it to show others")
    assert Alert.objects.get().acknowledged_at is None
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert seen.complaints == []


def test_work_in_portions_goes_on_by_itself_and_says_how_far_it_is(
    visit: Callable[[Any], Visit], monkeypatch: pytest.MonkeyPatch, charger: ChargePoint
) -> None:
    """600 charge points: three pages that send themselves, then the page of these commands."""
    monkeypatch.setattr(going_on, "BUDGET", 0.0)
    ChargePoint.objects.bulk_create(ChargePoint(identity=f"P-{n:03}") for n in range(599))
    seen = visit(PHONE)
    said: list[str] = []

    def note(response: Any) -> None:
        if response.request.method == "POST" and "/send/" in response.url and response.ok:
            said.append(response.text().partition('role="status">')[2].partition(".")[0])

    page = seen.go("/admin/ocpp/chargepoint/")
    page.check("#action-toggle")
    page.click("#changelist-actions .question a")
    page.select_option("select[name=action]", "send_get_configuration")
    page.click("button[name=index]")
    page.on("response", note)
    page.click("text=Send to all 600")
    page.wait_for_url("**/ocpp/masscommand/*/change/")
    assert said[:2] == ["250 of 600 done", "500 of 600 done"]
    assert Command.objects.count() == 600
    assert seen.complaints == []
