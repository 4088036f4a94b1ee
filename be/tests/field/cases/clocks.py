"""Clocks that are off, and times as chargers write them."""

from datetime import UTC, timedelta

from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import session, wh

MINUTE, HOUR = 60, 3600


@case("c21", "evcc#14609")
def a_clock_49_minutes_slow_is_no_backlog(ground: Ground) -> None:
    """A car is plugged in now at a charger whose clock is 49 minutes slow: it is started."""
    for identity, lag in (("EVB-FIELD21", -49 * MINUTE - 5), ("NFL-FIELD21", -3.5 * HOUR)):
        charger = ground.charger(identity)
        charger.boot("EVBox", "G3-M7500E")
        for connector in (1, 2):
            charger.status("Available", connector, ground.at(lag))
        charger.status("Preparing", 2, ground.at(lag))
        ground.wait(4)
        starts = charger.asked_to("RemoteStartTransaction")
        assert [start["connectorId"] for start in starts] == [2], (identity, starts)


def written(ground: Ground, seconds: float, form: str) -> str:
    """So many seconds from now in this form, "+2:" before it for a zone of two hours."""
    hours, _, pattern = form.rpartition("|")
    moment = ground.now.astimezone(UTC) + timedelta(seconds=seconds, hours=float(hours or 0))
    return moment.strftime(pattern)


FORMS = (
    "2|%Y-%m-%dT%H:%M:%S+02",
    "%Y-%m-%dT%H:%M:%S+0000",
    "10|%Y-%m-%dT%H:%M:%S+10:00",
    "%Y-%m-%d %H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.000",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S.123456789Z",
    "%Y-%m-%dT%H:%M:%S.1Z",
)


@case("c22", "monta-app/ocpp-emulator#5, #53, lbbrhzn/ocpp#1838, evcc#7458, #20881")
def times_as_chargers_write_them(ground: Ground) -> None:
    """Half a zone, no zone, a blank, nanoseconds: a start and a stop half an hour apart."""
    for number, form in enumerate(FORMS):
        charger = ground.charger(f"TF{number}-FIELD22")
        charger.boot()
        transaction = charger.start(1000, written(ground, -HOUR / 2, form))
        charger.stop(transaction, 2000, written(ground, 0, form))
        ended = session(charger)
        assert ended.stopped_at is not None
        took = (ended.stopped_at - ended.started_at).total_seconds()
        assert abs(took - HOUR / 2) <= 61, (form, took)
        assert (wh(ended), ended.flags) == (1000, ""), form


@case("c42", "evcc#13105")
def local_time_labelled_z_and_nine_minutes_slow(ground: Ground) -> None:
    """Wallbox Pulsar 51 minutes ahead: started all the same, flagged, and billed right."""
    ahead = 51 * MINUTE
    charger = ground.charger("PLS-FIELD42")
    charger.boot("Wall Box Chargers", "PLP1")
    charger.status("Available", 1, ground.at(ahead))
    charger.status("Preparing", 1, ground.at(ahead))
    ground.wait(3)
    assert len(charger.asked_to("RemoteStartTransaction")) == 1
    number = charger.start(1146500, ground.at(ahead), tag="anonymous")
    sample = register("1146600.0", location="Outlet")
    charger.meter(ground.at(ahead + 60), sample, transaction=number)
    assert "start-clock-ahead" in session(charger).flags
    assert wh(session(charger)) == 100
    charger.stop(number, 1146700, ground.at(ahead + 120), reason="EVDisconnected")
    assert (wh(session(charger)), session(charger).confidence) == (200, "high")


@case("c21b", "inferred from evcc#14609: the slow clock's first word, and a car that waits")
def the_first_word_of_a_slow_clock_is_no_backlog(ground: Ground) -> None:
    """One connector, nothing known of its clock: a car that is there is started."""
    for identity, before in (("ONE-FIELD21", None), ("DRIFT-FIELD21", 40)):
        charger = ground.charger(identity)
        charger.boot("EVBox", "G3-M7500E")
        if before:
            charger.status("Available", 1, ground.at(-49 * MINUTE + before))
        charger.status("Preparing", 1, ground.at(-49 * MINUTE))
        ground.wait(4)
        assert len(charger.asked_to("RemoteStartTransaction")) == 1, identity
    gone = ground.charger("GONE-FIELD21")
    gone.boot("EVBox", "G3-M7500E")
    gone.status("Preparing", 1, ground.at(-49 * MINUTE))
    gone.status("Available", 1, ground.at(-40 * MINUTE))
    ground.wait(4)
    assert gone.asked_to("RemoteStartTransaction") == []


@case("c21c", "inferred from evcc#14609: plugged in while the charger was away", in_process=True)
def a_car_that_was_plugged_in_during_an_outage_is_started(ground: Ground) -> None:
    """After its boot the charger says Preparing, since two hours: the car is there and waits."""
    charger = ground.charger("WAITS-FIELD21")
    charger.boot("EVBox", "G3-M7500E")
    charger.status("Available", 1, ground.at())
    charger.leave()
    ground.wait(3 * HOUR)
    charger.come_back()
    charger.boot("EVBox", "G3-M7500E")
    charger.status("Preparing", 1, ground.at(-2 * HOUR))
    ground.wait(5)
    assert charger.asked_to("RemoteStartTransaction") == []
    ground.wait(10)
    assert len(charger.asked_to("RemoteStartTransaction")) == 1
