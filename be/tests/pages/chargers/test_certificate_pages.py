"""The pages of certificates: each decision asks first and needs the permission."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.ocpp.models import (
    AuditEntry,
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
)

LIST = "admin:ocpp_chargepointcertificate_changelist"


def certificate(**values: Any) -> ChargePointCertificate:
    charger = ChargePoint.objects.create(identity="CP1", security_profile=0)
    made = {"csr": "x", "key_kind": "EC 256", "key_fingerprint": "ab12", **values}
    return ChargePointCertificate.objects.create(charge_point=charger, identity="CP1", **made)


def decide(row: ChargePointCertificate, kind: str) -> str:
    return reverse("admin:ocpp_chargepointcertificate_decide", args=[row.pk, kind])


def test_a_request_is_approved_after_a_question(browser_of_root: Client) -> None:
    row = certificate()
    asked = browser_of_root.get(decide(row, "approve")).content.decode()
    assert "ab12" in asked
    assert "Anyone may have sent this request" in asked
    row.refresh_from_db()
    assert row.state == "waiting"
    browser_of_root.post(decide(row, "approve"))
    row.refresh_from_db()
    assert (row.state, row.decided_by is not None) == ("approved", True)
    assert AuditEntry.objects.get().what == "approved"


def test_what_does_not_wait_any_more_is_not_approved(browser_of_root: Client) -> None:
    """A newer request came between the question and the answer."""
    row = certificate(state="superseded")
    said = browser_of_root.post(decide(row, "approve")).content.decode()
    assert "it is no longer waiting" in said
    row.refresh_from_db()
    assert row.state == "superseded"


def test_a_certificate_is_revoked_with_a_reason(browser_of_root: Client) -> None:
    row = certificate(state="installed", serial_number="1f", not_after=timezone.now())
    browser_of_root.post(decide(row, "revoke"), {"reason": "because"})
    row.refresh_from_db()
    assert row.revoked_at is None
    browser_of_root.post(decide(row, "revoke"), {"reason": "keyCompromise"})
    row.refresh_from_db()
    assert (row.state, row.revocation_reason) == ("revoked", "keyCompromise")
    assert row.revoked_at is not None
    assert row.revoked_by is not None


@pytest.mark.parametrize("kind", ["approve", "decline", "send", "revoke"])
def test_a_viewer_decides_nothing(browser_of_viewer: Client, kind: str) -> None:
    row = certificate()
    answers = (
        browser_of_viewer.get(decide(row, kind)),
        browser_of_viewer.post(decide(row, kind), {"reason": "unspecified"}),
    )
    assert [answer.status_code for answer in answers] == [403, 403]
    row.refresh_from_db()
    assert row.state == "waiting"


def test_without_an_authority_the_pages_say_how_to_make_one(browser_of_root: Client) -> None:
    hint = "levity certificate_authority create"
    assert hint in browser_of_root.get(reverse(LIST)).content.decode()
    charger = ChargePoint.objects.create(identity="CP1")
    ask = reverse("admin:ocpp_chargepoint_security_certificate", args=[charger.pk])
    assert "no certificate authority" in browser_of_root.post(ask).content.decode()
    assert not Command.objects.exists()
    now = timezone.now()
    CertificateAuthority.objects.create(
        organization="Co-op", certificate="x", fingerprint="y", not_before=now, not_after=now
    )
    assert hint not in browser_of_root.get(reverse(LIST)).content.decode()
    browser_of_root.post(ask)
    command = Command.objects.get()
    assert (command.action, command.payload) == (
        "ExtendedTriggerMessage",
        {"requestedMessage": "SignChargePointCertificate"},
    )
    assert command.requested_by is not None
