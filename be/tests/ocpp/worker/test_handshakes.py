"""Who may connect, with which subprotocol, and how it is treated: E-01, E-06, E-07."""

from typing import Any

import pytest

from levity.ocpp.chargers.security import keys
from levity.ocpp.models import ChargePoint, ConnectionEvent, Credential, RefusedHandshake
from levity_ws.edge.room import SMALL
from levity_ws.rpc.envelope import Accept, Refuse
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        ((), ""),
        (("ocpp1.6",), "ocpp1.6"),
        (("ocpp2.0.1", "ocpp1.6"), "ocpp1.6"),
        (("OCPP1.6", "ocpp1.5"), "OCPP1.6"),
        # As offered, or the charger's websocket library ends the connection.
        (("ocpp1.6J",), "ocpp1.6J"),
        (("ocpp1.6j", "ocpp1.6"), "ocpp1.6"),
        (("ocpp2.0.1", "OCPP16J"), "OCPP16J"),
    ],
)
def test_the_best_known_subprotocol_is_answered(offered: tuple[str, ...], answered: str) -> None:
    """E-07: no header at all is OCPP 1.6, and is answered with none."""
    (verdict,) = CentralSystem().take(Charger().asks(subprotocols=offered)).reply.commands
    assert isinstance(verdict, Accept)
    assert verdict.subprotocol == answered


@pytest.mark.parametrize("is_known", [False, True])
def test_only_unknown_subprotocols_are_refused_and_listed(is_known: bool) -> None:
    """E-06: a row of the doctor with the one thing to change; and nobody becomes a charge point by
    it, as every charger did that was set to OCPP 2.0.1."""
    site, charger = CentralSystem(), Charger()
    if is_known:
        site.connect(charger.again())
    reason = "The charger offers ocpp2.0.1, mqtt: set it to OCPP 1.6 JSON (ocpp1.6)."
    (verdict,) = site.take(charger.asks(subprotocols=("ocpp2.0.1", "mqtt"))).reply.commands
    assert verdict == Refuse(charger.connection, 400, reason)
    row = RefusedHandshake.objects.get()
    assert (row.identity, row.reason, row.status) == ("CP1", "subprotocol", 400)
    assert row.detail == "it offers ocpp2.0.1, mqtt, but only ocpp1.6 is supported"
    assert ChargePoint.objects.count() == is_known
    assert ConnectionEvent.objects.filter(kind="refused").exists() is is_known


def test_who_offers_another_version_only_takes_nobody_s_place(settings: Any) -> None:
    """A charger set to 2.0.1 used up the newcomers of an hour."""
    settings.OCPP_UNKNOWN_CHARGE_POINTS = "reject"
    (verdict,) = CentralSystem().take(Charger().asks(subprotocols=("ocpp2.0.1",))).reply.commands
    assert isinstance(verdict, Refuse)
    assert verdict.status == 400
    assert RefusedHandshake.objects.get().reason == "subprotocol"


def room(site: CentralSystem, charger: Charger, **asked: Any) -> int:
    """The largest frame that a connection of this charger may bring; 0: as the edge's settings."""
    (verdict,) = site.take(charger.asks(**asked)).reply.commands
    assert isinstance(verdict, Accept)
    return verdict.max_size


def test_who_is_new_and_has_no_key_gets_no_room_for_large_frames() -> None:
    """Its second connection was as good as a known charger's: whoever wanted 8 MiB came twice."""
    site, charger = CentralSystem(), Charger()
    assert [room(site, charger.again()) for _ in range(3)] == [SMALL] * 3
    charger.now = 3599
    assert room(site, charger.again()) == SMALL
    charger.now = 3601
    assert room(site, charger.again()) == 0


def test_who_has_a_session_on_the_books_or_a_key_is_new_no_more() -> None:
    """The stop of its first night is to be taken, on its next connection at the latest."""
    site, charger, keyed = CentralSystem(), Charger(), Charger("KEYED")
    site.connect(charger)
    site.start(charger)
    assert room(site, charger.again()) == 0
    assert room(site, keyed) == SMALL
    row = ChargePoint.objects.get(identity="KEYED")
    Credential.objects.create(charge_point=row, digest=keys.digest_of(b"of sixteen bytes"))
    assert room(site, keyed.again()) == 0


def test_who_waits_to_be_accepted_stays_new_whatever_it_does(settings: Any) -> None:
    settings.OCPP_UNKNOWN_CHARGE_POINTS = "pending"
    site, charger = CentralSystem(), Charger()
    assert room(site, charger) == SMALL
    charger.now = 7200
    assert room(site, charger.again()) == SMALL
    ChargePoint.objects.update(registration="Accepted")
    assert room(site, charger.again()) == 0


@pytest.mark.parametrize(
    ("rule", "registration"), [("accept", "Accepted"), ("pending", "Pending"), ("reject", None)]
)
def test_an_unknown_charge_point_is_treated_by_the_setting(
    rule: str, registration: str | None, settings: object
) -> None:
    """E-01: accepted, pending, or refused with 404."""
    settings.OCPP_UNKNOWN_CHARGE_POINTS = rule  # type: ignore[attr-defined]  # pytest-django's
    (verdict,) = CentralSystem().take(Charger().asks()).reply.commands
    assert isinstance(verdict, Accept if registration else Refuse)
    if isinstance(verdict, Refuse):
        assert verdict.status == 404
    rows = ChargePoint.objects.values_list("registration", flat=True)
    assert list(rows) == ([registration] if registration else [])


def test_free2move_gets_no_answer_within_a_second_and_a_half_of_the_last() -> None:
    """lb#2080, field case c30: it drops the line after an answer to StartTransaction that comes
    at once; others are answered as before."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    boot = {
        "chargePointVendor": "Free2move eSolutions",
        "chargePointModel": "F2ME.EPROSE01TXX",
        "firmwareVersion": "2.9.3",
    }
    site.result(charger.calls("BootNotification", boot))
    (accept,) = site.take(charger.again().asks()).reply.commands
    assert isinstance(accept, Accept)
    assert accept.frame_gap == 1.5
    (other,) = site.take(Charger("CP2").asks()).reply.commands
    assert isinstance(other, Accept)
    assert other.frame_gap < 0.1
