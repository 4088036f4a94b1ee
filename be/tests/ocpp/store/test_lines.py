"""Field case c31: a proxy or a charger ends lines that say nothing for a while. It is learned."""

from typing import Any

import pytest

from levity.monitoring.alerts.conditions import lines_closed
from levity.ocpp.chargers.quirks.matching import match_of
from levity.ocpp.chargers.quirks.profile import DEFAULT, QuirkProfile
from levity.ocpp.models import ChargePoint, Command, ConnectionEvent
from levity.ocpp.rules.intervals import Ending, heartbeat_interval, learned_from, ping_interval
from levity.ocpp.store.lines import forget_line
from levity_ws.rpc.envelope import Accept
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

GRIZZL_E = {"chargePointVendor": "United Chargers", "chargePointModel": "GRS-*"}


def closes_in_silence(
    site: CentralSystem, charger: Charger, *silences: float, code: int = 1006
) -> Charger:
    """It comes, says something, and after so many seconds of silence its line ends; again and
    again, ten seconds apart."""
    for silence in silences:
        site.connect(charger)
        charger.now += 15
        site.result(charger.calls("Heartbeat"))
        charger.now += silence
        site.take(charger.leaves(code))
        charger = charger.again()
        charger.now += 10
    return charger


def interval(site: CentralSystem, charger: Charger, boot: dict[str, Any] = GRIZZL_E) -> int:
    """What its boot is answered with."""
    said: int = site.result(charger.calls("BootNotification", boot))["interval"]
    return said


@pytest.mark.parametrize(
    ("silences", "learned"),
    [
        # Cloudflare, an Ocular (lb#2030), nginx, as they are seen: the last frame to within ten.
        ((100, 104, 101), 45),
        ((110, 110, 110), 49),
        ((60, 62, 61), 27),
        # No line that ends in silence: twice only; once after an hour; at any time.
        ((100, 100), 300),
        ((100, 3600, 100), 300),
        ((40, 200, 120), 300),
        ((2, 3, 2), 300),
    ],
)
def test_a_line_that_ends_again_and_again_after_the_same_silence_is_learned(
    silences: tuple[float, ...], learned: int
) -> None:
    """And the interval is less than half of it; it stays at 300 s where nothing is learned."""
    site = CentralSystem()
    charger = closes_in_silence(site, Charger(), *silences)
    site.connect(charger)
    assert interval(site, charger) == learned


def test_what_was_learned_has_its_evidence_and_an_alert() -> None:
    """A person can see why, and that it was so."""
    site = CentralSystem()
    charger = closes_in_silence(site, Charger(), 100, 104, 101)
    found = ChargePoint.objects.get()
    assert found.learned_silence == 100
    assert found.learned_evidence == (
        "the line was closed 3 times in a row after silence: 100 s (2026-11-22 12:01 UTC, code"
        " 1006), 104 s (2026-11-22 12:04 UTC, code 1006), 101 s (2026-11-22 12:06 UTC, code 1006)"
    )
    (finding,) = lines_closed(at(charger.now))
    assert finding.summary == (
        "the connection of CP1 keeps closing after 100 s of silence; it was given a heartbeat "
        "interval of 45 s"
    )


def test_a_charger_that_comes_without_a_boot_is_told_by_a_command() -> None:
    """Once on a connection, ten seconds after it began; not when it has booted since."""
    site = CentralSystem()
    charger = closes_in_silence(site, Charger(), 100, 100, 100)
    site.connect(charger)
    (command,) = Command.objects.all()
    assert (command.action, command.payload, command.source) == (
        "ChangeConfiguration",
        {"key": "HeartbeatInterval", "value": "45"},
        "LearnedInterval",
    )
    assert interval(site, charger) == 45
    charger = charger.again()
    charger.now += 30
    site.connect(charger)
    assert Command.objects.count() == 1


def test_our_own_ends_teach_nothing() -> None:
    """A restart of ours (1012), a newer connection (1000)."""
    site = CentralSystem()
    closes_in_silence(site, Charger(), 100, 100, 100, 100, code=1012)
    assert ChargePoint.objects.get().learned_silence is None


def test_what_was_learned_is_forgotten_when_somebody_says_so() -> None:
    """Only ends after that count again."""
    site = CentralSystem()
    charger = closes_in_silence(site, Charger(), 100, 100, 100)
    assert forget_line([ChargePoint.objects.get().pk], at(charger.now)) == 1
    charger = closes_in_silence(site, charger, 100, 100)
    assert ChargePoint.objects.get().learned_silence is None
    closes_in_silence(site, charger, 100)
    assert ChargePoint.objects.get().learned_silence == 100


def test_the_charge_points_own_interval_comes_first_then_learned_profile_and_setting() -> None:
    """The order that the page shows."""
    slow, quick = (
        QuirkProfile("s", "S", heartbeat_interval=3600),
        match_of("Ocular", "", "").profile,
    )
    assert heartbeat_interval(600, 100, slow, 300) == 600
    assert heartbeat_interval(None, 100, slow, 300) == 45
    assert heartbeat_interval(None, None, slow, 300) == 3600
    assert heartbeat_interval(None, None, quick, 300) == 45
    assert heartbeat_interval(None, None, DEFAULT, 300) == 300
    assert heartbeat_interval(None, 280, quick, 300) == 45


def test_a_make_that_is_known_for_it_hears_so_at_its_first_boot() -> None:
    """lb#2030: an Ocular closes after 110 s; nothing was known of this one until it said so."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    ocular = {"chargePointVendor": "Ocular", "chargePointModel": "LTE"}
    assert interval(site, charger, ocular) == 45
    assert interval(site, charger, ocular) == 45
    assert interval(site, charger) == 300


def test_pings_are_never_learned_and_grizzl_e_gets_none() -> None:
    """It answers them with malformed pongs, whatever the site has for the others."""
    grizzl_e = match_of("United Chargers", "GRS-*", "05.633").profile
    assert ping_interval(None, grizzl_e, 30) == 0
    assert ping_interval(20, grizzl_e, 30) == 20
    assert ping_interval(0, DEFAULT, 30) == 0
    assert ping_interval(None, DEFAULT, 30) == 30


def test_the_edge_is_told_the_ping_interval_of_the_charge_point() -> None:
    """In the envelope that lets it in."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    ChargePoint.objects.update(ping_interval=25)
    (accept,) = site.take(charger.again().asks()).reply.commands
    assert isinstance(accept, Accept)
    assert accept.ping_interval == 25.0


def test_ends_that_say_nothing_of_the_line_are_passed_over() -> None:
    """Between two of the proxy's, Levity was restarted."""
    ends = [Ending(at(0), 100, code) for code in (1006, 1012, 1006, 1001, None)]
    assert learned_from(ends) is not None
    assert learned_from(ends[:4]) is None


def test_a_late_end_of_an_old_connection_is_no_silence() -> None:
    """Promise 5: the newest connection is the one in use, and it has just spoken."""
    site, old = CentralSystem(), Charger()
    site.connect(old)
    new = old.again()
    new.now = 100
    site.connect(new)
    old.now = 200
    site.take(old.leaves())
    assert ConnectionEvent.objects.get(kind="disconnected").silent_for is None
