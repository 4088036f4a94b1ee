"""Who may connect, with which subprotocol, and how it is treated: E-01, E-06, E-07."""

import pytest

from levity.ocpp.models import ChargePoint, ConnectionEvent
from levity_ws.rpc.envelope import Accept, Refuse
from tests.ocpp.charger import Charger, Site

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
    (verdict,) = Site().take(Charger().asks(subprotocols=offered)).reply.commands
    assert isinstance(verdict, Accept)
    assert verdict.subprotocol == answered


def test_only_unknown_subprotocols_are_refused_and_listed() -> None:
    """E-06: the reason stands in the list of connections, where its owner looks for it."""
    charger = Charger()
    reason = "The charger offers ocpp2.0.1, mqtt: set it to OCPP 1.6 JSON (ocpp1.6)."
    (verdict,) = Site().take(charger.asks(subprotocols=("ocpp2.0.1", "mqtt"))).reply.commands
    assert verdict == Refuse(charger.connection, 400, reason)
    event = ConnectionEvent.objects.get()
    assert (event.kind, event.code, event.reason, event.subprotocol) == (
        "refused",
        400,
        reason,
        "ocpp2.0.1, mqtt",
    )


def test_who_is_new_and_has_no_key_gets_no_room_for_large_frames() -> None:
    """128 KiB until it is known here: from its second connection on, what the edge allows."""
    site = Site()
    for size in (128 * 1024, 0):
        (verdict,) = site.take(Charger().asks()).reply.commands
        assert isinstance(verdict, Accept)
        assert verdict.max_size == size


@pytest.mark.parametrize(
    ("rule", "registration"), [("accept", "Accepted"), ("pending", "Pending"), ("reject", None)]
)
def test_an_unknown_charge_point_is_treated_by_the_setting(
    rule: str, registration: str | None, settings: object
) -> None:
    """E-01: accepted, pending, or refused with 404."""
    settings.OCPP_UNKNOWN_CHARGE_POINTS = rule  # type: ignore[attr-defined]  # pytest-django's
    (verdict,) = Site().take(Charger().asks()).reply.commands
    assert isinstance(verdict, Accept if registration else Refuse)
    if isinstance(verdict, Refuse):
        assert verdict.status == 404
    rows = ChargePoint.objects.values_list("registration", flat=True)
    assert list(rows) == ([registration] if registration else [])


def test_free2move_gets_no_answer_within_a_second_and_a_half_of_the_last() -> None:
    """lb#2080, field case c30: it drops the line after an answer to StartTransaction that comes
    at once; others are answered as before."""
    site, charger = Site(), Charger()
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
