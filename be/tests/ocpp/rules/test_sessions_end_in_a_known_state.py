"""Whatever order a charger's messages come in: every session ends, once, with its reason."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from levity.ocpp.commands.lifecycle import dispatch
from levity.ocpp.models import (
    ChargePoint,
    Command,
    Connector,
    QuarantinedMessage,
    SecurityEvent,
    Transaction,
)
from levity_ws.rpc.envelope import Reply
from tests.kept import Samples
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, iso, meter_value

STATE = ("state", "stop_reason", "energy", "energy_source", "flags")


def test_start_that_comes_again_after_its_stop_stays_stopped(charger: Charger) -> None:
    """D-04"""
    ids = set()
    for number in range(50):
        begin = at(number * 10)
        meter = 1000 + 2000 * number
        ids.add(first := charger.started(begin, meter))
        charger.stop(first, begin + timedelta(minutes=5), meter + 2000)
        again = charger.start(begin, meter, when=begin + timedelta(minutes=6))
        assert again == {"transactionId": first, "idTagInfo": {"status": "Accepted"}}
        assert books(first, *STATE) == (
            "stopped",
            "Local",
            Decimal(2000),
            "registers",
            "start-after-stop",
        )
    assert Transaction.objects.count() == len(ids) == 50
    assert not Connector.objects.filter(transaction__isnull=False).exists()


@pytest.mark.parametrize(
    "transaction_id", [0, -1, None, 2**31 - 1, 2**63 - 1, -(2**63), 10**30, 4711, "4711"]
)
def test_stop_for_no_known_transaction_is_answered_and_quarantined(
    charger: Charger, transaction_id: Any
) -> None:
    """D-08"""
    assert charger.stop(transaction_id, at(5), 1000, idTag="tag") == {
        "idTagInfo": {"status": "Accepted"}
    }
    assert [item.reason for item in QuarantinedMessage.objects.all()] == ["no such transaction"]


@pytest.mark.parametrize("transaction_id", [0, -1, None, 2**63 - 1, -(2**63)])
def test_stop_without_a_usable_id_ends_the_session_that_must_be_meant(
    charger: Charger, transaction_id: Any
) -> None:
    """Alfen 5.8 sends 2^63-1; libocpp and others -1, 0 or null after an offline start."""
    started = charger.started()
    charger.stop(transaction_id, at(30), 3000)
    assert books(started, *STATE) == (
        "stopped",
        "Local",
        Decimal(2000),
        "registers",
        "matched-by-connector",
    )


def test_stop_without_a_usable_id_finds_its_session_among_two_by_tag_and_meter(
    charger: Charger,
) -> None:
    """Two connectors are busy: tag, time and meter say which one is meant."""
    left = charger.started(at(0), 500_000, connectorId=1, idTag="left")
    right = charger.started(at(1), 1000, connectorId=2, idTag="right")
    charger.stop(-1, at(30), 3000, idTag="RIGHT")
    assert books(left, "state") == "active"
    assert books(right, "state", "energy", "flags") == (
        "stopped",
        Decimal(2000),
        "matched-by-connector",
    )


def test_stop_without_a_usable_id_that_fits_two_sessions_waits_for_a_person(
    charger: Charger,
) -> None:
    left = charger.started(at(0), 1000, connectorId=1)
    right = charger.started(at(1), 1000, connectorId=2)
    charger.stop(-1, at(30), 3000)
    assert (books(left, "state"), books(right, "state")) == ("active", "active")
    reason = f"no such transaction; it may be the end of #{left} or #{right}"
    assert QuarantinedMessage.objects.get().reason == reason


def test_stop_of_an_older_session_does_not_end_the_one_that_runs(charger: Charger) -> None:
    """A Stop without an id, from before the running session began, means another one."""
    running = charger.started(at(60))
    charger.stop(-1, at(30), 3000, when=at(61))
    assert books(running, "state") == "active"
    assert QuarantinedMessage.objects.get().reason == "no such transaction"


def test_second_stop_with_other_values_is_answered_and_kept_apart(charger: Charger) -> None:
    """D-09"""
    for number in range(100):
        begin = at(number * 60)
        started = charger.started(begin, number)
        charger.stop(started, begin + timedelta(minutes=30), number + 2000)
        assert charger.stop(started, begin + timedelta(minutes=31), number + 9000) == {}
        assert books(started, "meter_stop", "energy", "stopped_at") == (
            Decimal(number + 2000),
            Decimal(2000),
            begin + timedelta(minutes=30),
        )
        item = QuarantinedMessage.objects.get(transaction=started)
        assert item.reason == "the transaction has already stopped"


def test_the_same_stop_for_ever_is_answered_and_leaves_one_row_that_counts(
    charger: Charger,
) -> None:
    """Metron sends the same StopTransaction every ten seconds; also D-09: nobody has to decide."""
    started = charger.started()
    for ten_seconds in range(20):
        assert charger.stop(started, at(30), 3000, when=at(30 + ten_seconds / 6)) == {}
    assert books(started, *STATE) == ("stopped", "Local", Decimal(2000), "registers", "")
    item = QuarantinedMessage.objects.get()
    assert (item.transaction, item.resolved_to_id, item.reason, item.repeated) == (
        started,
        started,
        "the transaction has already stopped, as it says",
        18,
    )
    assert item.resolution == "nothing to decide: these figures are already recorded"
    second, last = at(30 + 1 / 6), at(30 + 19 / 6)
    assert (item.received_at, item.resolved_at, item.last_received_at) == (second, second, last)


def test_a_second_stop_with_other_figures_counts_its_repetitions_and_stays_open(
    charger: Charger,
) -> None:
    """D-09: that one is for a person, and it is one row as well."""
    started = charger.started()
    charger.stop(started, at(30), 3000)
    for minute in range(5):
        charger.stop(started, at(31), 9000, when=at(40 + minute))
    item = QuarantinedMessage.objects.get()
    assert (item.repeated, item.resolved_at, item.received_at) == (4, None, at(40))
    assert item.last_received_at == at(44)


SAMPLES = (meter_value(at(1), 1200), meter_value(at(2), 1500), meter_value(at(3), 1900))
LAST = meter_value(at(4), 2400)


@pytest.mark.parametrize("order", list(permutations((*SAMPLES, LAST))))
def test_energy_does_not_depend_on_the_order_of_samples(
    charger: Charger, order: tuple[dict[str, Any], ...]
) -> None:
    """D-12"""
    started = charger.started()
    for value in (*order, *order):
        charger.meter(started, value, when=at(5))
    running = ("meter_last", "meter_last_at", "energy", "flags")
    assert books(started, *running) == (Decimal(2400), at(4), Decimal(1400), "")
    charger.stop(started, at(6), 2600)
    charger.meter(started, *order, when=at(7))
    assert books(started, "state", "energy", "energy_source", "confidence", "flags") == (
        "stopped",
        Decimal(1600),
        "registers",
        "high",
        "samples-after-stop",
    )
    kept = Samples.objects.filter(transaction=started).order_by("sampled_at")
    # The same samples again, as after a lost answer, are no new ones.
    assert [item.value for item in kept] == [Decimal(each) for each in (1200, 1500, 1900, 2400)]


SESSION = tuple(
    meter_value(at(minute), wh) for minute, wh in ((1, 0), (2, 900), (3, 1800), (4, 2700))
)


@pytest.mark.parametrize("order", list(permutations(SESSION)))
def test_energy_of_a_session_register_does_not_depend_on_the_order_either(
    charger: Charger, order: tuple[dict[str, Any], ...]
) -> None:
    """D-12, for Grizzl-E: its samples count from the session's start, past meterStart, too."""
    started = charger.started(meter=1000)
    for value in order:
        charger.meter(started, value, when=at(5))
    assert books(started, "energy", "flags") == (Decimal(2700), "session-register")


def test_register_just_below_the_start_charges_nothing(charger: Charger) -> None:
    """D-16; Huawei: 1 Wh below meterStart is not a session of five million Wh."""
    started = charger.started(meter=5_000_001)
    charger.meter(started, meter_value(at(1), 5_000_000), when=at(1))
    assert books(started, "energy", "flags") == (Decimal(0), "register-fell")
    charger.stop(started, at(2), 5_000_000)
    assert books(started, "energy", "energy_source", "confidence", "flags") == (
        Decimal(0),
        "none",
        "low",
        "register-fell negative-energy",
    )


def test_a_zero_between_good_samples_is_no_energy(charger: Charger) -> None:
    """A meter that did not answer shows 0 once; the next value is where it was."""
    started = charger.started(meter=5_000_000)
    for minute, wh in ((10, 5_001_000), (20, 0), (30, 5_002_000), (40, 5_003_000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    assert books(started, "energy") == Decimal(3000)
    charger.boot(at(41))
    assert books(started, "state", "energy") == ("orphaned", Decimal(3000))
    charger.stop(started, at(45), 5_003_500)
    assert books(started, "energy", "energy_source") == (Decimal(3500), "registers")


@pytest.mark.parametrize(
    ("meter_start", "energy", "flags"),
    [
        (500, Decimal(3500), "register-reset below-samples"),
        (2000, Decimal(2000), "register-reset negative-energy"),
    ],
)
def test_a_meter_that_began_anew_is_billed_for_both_of_its_lives(
    charger: Charger, meter_start: int, energy: Decimal, flags: str
) -> None:
    """Whatever it stands at in the end: above where it began, or below."""
    started = charger.started(meter=meter_start)
    for minute, wh in ((10, 3000), (20, 0), (30, 900)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(40), 1000)
    assert books(started, "energy", "energy_source", "confidence", "flags") == (
        energy,
        "samples",
        "low",
        flags,
    )


def test_a_wild_sample_is_billed_to_nobody_once_a_good_one_follows(charger: Charger) -> None:
    started = charger.started()
    figures = ("state", "energy", "confidence", "flags")
    for minute, wh in ((10, 2000), (20, 9_000_000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    # In doubt it is not counted, and the doubt goes with the next good one.
    assert books(started, "energy", "flags") == (Decimal(1000), "register-reset")
    charger.meter(started, meter_value(at(30), 4000), when=at(30))
    assert books(started, "energy", "flags") == (Decimal(3000), "")
    charger.boot(at(31))
    assert books(started, *figures) == ("orphaned", Decimal(3000), "medium", "orphaned")


def test_an_end_of_ours_at_a_wild_sample_says_that_it_can_not_be_true(charger: Charger) -> None:
    started = charger.started()
    charger.meter(started, meter_value(at(20), 9_000_000), when=at(20))
    charger.boot(at(31))
    assert books(started, "energy", "confidence", "flags") == (
        Decimal(8_999_000),
        "low",
        "implausible-energy orphaned",
    )
    charger.stop(started, at(40), 5000)
    assert books(started, "energy", "energy_source", "flags") == (
        Decimal(4000),
        "registers",
        "below-samples booted-within late-stop",
    )


def test_one_wild_sample_does_not_make_two_lives_of_a_meter(charger: Charger) -> None:
    started = charger.started()
    for minute, wh in ((10, 2000), (20, 9_000_000), (30, 4000)):
        charger.meter(started, meter_value(at(minute), wh), when=at(minute))
    charger.stop(started, at(40), 5000)
    assert books(started, "energy", "energy_source") == (Decimal(4000), "registers")


@pytest.mark.parametrize(
    ("meter_stop", "last", "figures"),
    [
        # No meterStop worth the name, and no MeterValues: only the samples in the Stop know.
        (0, 8000, (Decimal(7000), "samples", "low", "negative-energy")),
        # Wattpilot repeats meterStart as meterStop (steve#1264): the samples rose by 7000.
        (1000, 8000, (Decimal(7000), "samples", "low", "below-samples")),
        # More than can have flowed is no energy.
        (1000, 9_000_000, (Decimal(0), "registers", "high", "")),
        (8000, 8000, (Decimal(7000), "registers", "high", "")),
    ],
)
def test_the_samples_of_the_stop_are_heard_on_what_was_charged(
    charger: Charger, meter_stop: int, last: int, figures: Any
) -> None:
    started = charger.started()
    samples = [meter_value(at(0), 1000), meter_value(at(60), last)]
    charger.stop(started, at(60), meter_stop, transactionData=samples)
    assert books(started, "energy", "energy_source", "confidence", "flags") == figures


@pytest.mark.parametrize(
    ("meter_start", "meter_stop", "energy", "flags"),
    [
        (5000, 4000, Decimal(0), "negative-energy"),
        (-50, 1000, Decimal(1050), "negative-meter-start"),
        (-50, -100, Decimal(0), "negative-meter-start negative-energy"),
        (1000, -1, Decimal(0), "negative-energy"),
    ],
)
def test_energy_is_never_negative(
    charger: Charger, meter_start: int, meter_stop: int, energy: Decimal, flags: str
) -> None:
    """D-16"""
    started = charger.started(meter=meter_start)
    assert charger.stop(started, at(30), meter_stop) == {}
    assert books(started, "state", "energy", "flags") == ("stopped", energy, flags)


def test_second_start_on_a_busy_connector_ends_the_first_session(charger: Charger) -> None:
    """D-17: the charger is believed; what ran is closed where the next one starts."""
    first = charger.started(at(0), 1000)
    charger.meter(first, meter_value(at(5), 1700), when=at(5))
    second = charger.started(at(10), 1800)
    assert books(first, *STATE, "stopped_at") == (
        "orphaned",
        "Other",
        Decimal(800),
        "samples",
        "orphaned ends-at-next-start",
        at(5),
    )
    assert books(second, "state") == "active"
    assert Connector.objects.get(number=1).transaction_id == second
    charger.stop(first, at(6), 1800, when=at(11))
    assert books(first, *STATE) == (
        "stopped",
        "Local",
        Decimal(800),
        "registers",
        "late-stop",
    )
    assert Connector.objects.get(number=1).transaction_id == second


def test_at_most_one_session_runs_on_a_connector_whatever_comes(charger: Charger) -> None:
    """D-17"""
    for minute in (0, 10, 5, 20, 15, 1):
        charger.started(at(minute), minute, when=at(30))
        assert Transaction.objects.filter(state="active").count() == 1
    running = Transaction.objects.get(state="active")
    assert running.started_at == at(20)
    assert Connector.objects.get(number=1).transaction == running


def test_older_start_that_comes_late_leaves_the_running_session_alone(charger: Charger) -> None:
    """D-17, D-14: a backlog that is sent beside the session that runs now."""
    running = charger.started(at(100), 5000)
    older = charger.started(at(0), 1000, when=at(101))
    assert books(running, "state") == "active"
    assert books(older, "state", "stop_reason", "flags") == (
        "orphaned",
        "Other",
        "orphaned ends-at-next-start",
    )
    charger.meter(older, meter_value(at(5), 1400), when=at(101))
    # As long as nobody has told its end, it is where the next one started.
    assert books(older, "state", "energy", "stopped_at") == ("orphaned", Decimal(4000), at(5))
    charger.stop(older, at(10), 2000, when=at(102))
    assert books(older, "state", "energy", "stopped_at") == ("stopped", Decimal(1000), at(10))
    assert Connector.objects.get(number=1).transaction_id == running


def _backlog(charger: Charger, came: datetime, sessions: int) -> list[int]:
    """`sessions` sessions of the last 72 hours, in a burst."""
    begin = came - timedelta(hours=72)
    ids = []
    for number in range(sessions):
        start = begin + timedelta(hours=2 * number, minutes=7)
        charger.status("Preparing", came, timestamp=iso(start - timedelta(minutes=2)))
        ids.append(charger.started(start, 1000 * number, when=came))
        charger.status("Charging", came, timestamp=iso(start))
        half = start + timedelta(minutes=30)
        charger.meter(ids[-1], meter_value(half, 1000 * number + 400), when=came)
        charger.stop(ids[-1], start + timedelta(hours=1), 1000 * number + 900, when=came)
    return ids


def test_three_days_of_backlog_become_thirty_closed_sessions(charger: Charger) -> None:
    """D-14. (Where its meter begins anew without power, one of them may be short: it booted.)"""
    came = at(3 * 24 * 60)
    charger.boot(came)
    ids = _backlog(charger, came, 30)
    rows = Transaction.objects.order_by("id").values_list(
        "id", "state", "started_at", "stopped_at", "energy", "flags", "start_received_at"
    )
    begin = came - timedelta(hours=72)
    assert list(rows) == [
        (
            ids[number],
            "stopped",
            begin + timedelta(hours=2 * number, minutes=7),
            begin + timedelta(hours=2 * number + 1, minutes=7),
            Decimal(900),
            "booted-within",
            came,
        )
        for number in range(30)
    ]
    assert not Connector.objects.filter(transaction__isnull=False).exists()
    # (A charger's first word may be of a clock that is slow: it starts a car that is still there.)
    sent: list[Reply] = []
    dispatch(came + timedelta(seconds=20), lambda reply_to, reply: not sent.append(reply))
    assert not sent
    assert set(Command.objects.values_list("state", flat=True)) <= {"cancelled"}


def test_preparing_of_long_ago_starts_nothing(charger: Charger) -> None:
    """D-14: AutoRemoteStart is for the car that is plugged in now.

    (Where the charger was heard in time before; the first word of a slow clock lies back as well.)
    """
    charger.status("Available", at(-30), timestamp=iso(at(-30)))
    charger.status("Preparing", at(0), timestamp=iso(at(-11)))
    assert Command.objects.count() == 0


@pytest.mark.parametrize(
    "said", [iso(NOW), iso(at(-9)), iso(at(90)), "1970-01-01T00:00:05Z", "nonsense", None]
)
def test_preparing_of_now_starts_whatever_the_clock_is_set_to(
    charger: Charger, said: str | None
) -> None:
    """D-19, D-30: a clock that was never set, or lies ahead, says nothing about a backlog."""
    charger.status("Preparing", NOW, **({} if said is None else {"timestamp": said}))
    assert Command.objects.get().action == "RemoteStartTransaction"


@pytest.mark.parametrize("behind", [5, 8])
def test_preparing_of_a_charger_that_sends_local_time_as_utc_starts(
    charger: Charger, behind: int
) -> None:
    """D-19: a clock that is whole hours behind is in another zone, not in the past."""
    charger.status("Preparing", NOW, timestamp=iso(at(-60 * behind - 0.5)))
    assert Command.objects.get().action == "RemoteStartTransaction"


@pytest.mark.parametrize(
    ("said", "flags"),
    [
        (at(6), "start-clock-ahead"),
        (NOW.replace(year=2036), "start-clock-ahead"),
        (datetime(1970, 1, 1, 0, 1, tzinfo=UTC), "start-clock-unset"),
        (at(4), ""),
    ],
)
def test_odd_clocks_are_kept_beside_ours_and_flagged(
    charger: Charger, said: datetime, flags: str
) -> None:
    """D-19"""
    started = charger.started(said, when=NOW)
    assert books(started, "started_at", "start_received_at", "flags", "state") == (
        said,
        NOW,
        flags,
        "active",
    )
    charger.stop(started, said + timedelta(minutes=5), 2000, when=at(5))
    assert books(started, "stopped_at", "stop_received_at", "energy") == (
        said + timedelta(minutes=5),
        at(5),
        Decimal(1000),
    )


@pytest.mark.parametrize("step", [-60, 60])
def test_our_own_clock_may_be_stepped(charger: Charger, step: int) -> None:
    """D-20: a charger that says no time gets ours, and no session lasts less than nothing."""
    started = charger.start(NOW, timestamp="nonsense")["transactionId"]
    charger.meter(started, {"sampledValue": [{"value": "1500"}]}, when=at(step / 2))
    charger.stop(started, NOW, 2000, timestamp="nonsense", when=at(step))
    row = Transaction.objects.get(pk=started)
    assert row.stopped_at is not None
    assert row.stopped_at - row.started_at == timedelta(minutes=max(step, 0))
    assert (row.state, row.energy) == ("stopped", Decimal(1000))


def test_session_goes_on_after_a_boot_if_the_charger_goes_on_with_it(charger: Charger) -> None:
    """Boot in the middle: closed for now, open again with the next sample."""
    started = charger.started(at(0), 1000)
    charger.meter(started, meter_value(at(5), 1500), when=at(5))
    charger.boot(at(6))
    assert books(started, *STATE) == (
        "orphaned",
        "Reboot",
        Decimal(500),
        "samples",
        "orphaned",
    )
    charger.meter(started, meter_value(at(7), 1600), when=at(7))
    assert books(started, *STATE, "stopped_at", "meter_stop", "confidence") == (
        "active",
        "",
        Decimal(600),
        "",
        "continued",
        None,
        None,
        "",
    )
    assert Connector.objects.get(number=1).transaction_id == started
    charger.stop(started, at(10), 2000)
    assert books(started, *STATE) == (
        "stopped",
        "Local",
        Decimal(1000),
        "registers",
        "continued",
    )


def test_session_that_does_not_go_on_after_a_boot_ends_at_its_last_sample(
    charger: Charger,
) -> None:
    started = charger.started(at(0), 1000)
    charger.meter(started, meter_value(at(5), 1500), when=at(5))
    charger.boot(at(60))
    charger.status("Available", at(60))
    assert books(started, *STATE, "stopped_at", "meter_stop") == (
        "orphaned",
        "Reboot",
        Decimal(500),
        "samples",
        "orphaned",
        at(5),
        Decimal(1500),
    )


def test_old_samples_after_a_boot_move_the_end_and_do_not_open_the_session(
    charger: Charger,
) -> None:
    """What the charger kept while the power was away tells of the past."""
    started = charger.started(at(0), 1000)
    charger.boot(at(60))
    charger.meter(started, meter_value(at(20), 1800), when=at(60))
    assert books(started, *STATE, "stopped_at", "meter_stop") == (
        "orphaned",
        "Reboot",
        Decimal(800),
        "samples",
        "orphaned",
        at(20),
        Decimal(1800),
    )


def test_power_loss_stop_after_the_boot_replaces_our_own_end(charger: Charger) -> None:
    """TC_032_1: the charger says after the boot when the power went."""
    started = charger.started(at(0), 1000)
    charger.meter(started, meter_value(at(5), 1500), when=at(5))
    charger.boot(at(60))
    charger.stop(started, at(6), 1550, when=at(61), reason="PowerLoss")
    assert books(started, *STATE, "stopped_at", "stop_received_at") == (
        "stopped",
        "PowerLoss",
        Decimal(550),
        "registers",
        "late-stop",
        at(6),
        at(61),
    )


def test_stop_of_another_charger_leaves_the_session_alone(charger: Charger) -> None:
    """D-10"""
    started = charger.started()
    other = Charger("CP2", charger.pipeline)
    assert other.stop(started, at(5), 2000) == {}
    other.meter(started, meter_value(at(5), 1500), when=at(5))
    assert books(started, "state", "energy", "flags") == ("active", None, "")
    assert Samples.objects.filter(transaction=started).count() == 0
    assert SecurityEvent.objects.filter(charge_point__identity="CP2").count() == 2
    item = QuarantinedMessage.objects.get()
    assert (item.charge_point, item.reason) == (
        ChargePoint.objects.get(identity="CP2"),
        "the transaction belongs to another charge point",
    )


@pytest.mark.parametrize(
    "broken",
    [{"meterStop": "much"}, {"meterStop": None}, {"meterStop": [1]}, {"meterStop": 10**13}],
)
def test_session_whose_stop_makes_no_sense_is_over_and_says_so(
    charger: Charger, broken: dict[str, Any]
) -> None:
    """D-16: it ends at its last sample, and stays open for a person in the quarantine."""
    started = charger.started()
    charger.meter(started, meter_value(at(5), 1500), when=at(5))
    said = {"transactionId": started, "timestamp": iso(at(6)), "reason": "EVDisconnected", **broken}
    assert charger.call("StopTransaction", said, at(6)) == {}
    end = ("orphaned", "EVDisconnected", Decimal(500), "samples", "stop-quarantined")
    assert books(started, *STATE) == end
    assert QuarantinedMessage.objects.get().transaction == started
    # A closing sample belongs to it and does not open it again.
    charger.meter(started, meter_value(at(6), 1600), when=at(6))
    assert books(started, "state", "energy") == ("orphaned", Decimal(600))
    assert not Connector.objects.filter(transaction__isnull=False).exists()


def test_samples_without_an_id_from_before_the_session_are_not_its_samples(
    charger: Charger,
) -> None:
    running = charger.started(at(60), 5000)
    charger.meter(None, meter_value(at(30), 4000), when=at(61))
    charger.meter(-1, meter_value(at(61), 5100), when=at(61))
    kept = Samples.objects.order_by("id").values_list("transaction", "value")
    assert list(kept) == [(None, Decimal(4000)), (running, Decimal(5100))]
    assert books(running, "energy", "flags") == (Decimal(100), "")
