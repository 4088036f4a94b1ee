"""Dates that no calendar has, and clocks that were never set."""

from tests.field.catalogue import case
from tests.field.charger import Ground, register
from tests.field.judge import quarantined, refusals, session, status, wh


@case("c50", "steve-community/steve#769", in_process=True)
def a_date_that_no_calendar_has(ground: Ground) -> None:
    """ABB Terra AC: 29 February of a year that has none, in all of its messages."""
    wrong = "2022-02-29T07:02:33.000Z"
    charger = ground.charger("ABB-FIELD50")
    charger.boot("ABB", "TACW2241321G0001", firmwareVersion="1.5.25")
    charger.status("Available", 0, wrong)
    charger.status("Preparing", 1, wrong)
    assert status(charger) == "Preparing"
    ground.wait(5)
    assert len(charger.asked_to("RemoteStartTransaction")) == 1
    number = charger.start(0, wrong)
    ground.wait(60)
    charger.meter(wrong, register(300), transaction=number)
    assert wh(session(charger)) == 300
    ground.wait(60)
    charger.stop(number, 700, wrong)
    ended = session(charger)
    assert (ended.state, wh(ended)) == ("stopped", 700)
    assert "no-start-time" in ended.flags
    assert refusals(charger) == []
    assert 100 < (ended.stopped_at - ended.started_at).total_seconds() < 140


@case("c51", "matth-x/MicroOcpp#311", quick=False)
def statuses_of_1970_after_the_boot(ground: Ground) -> None:
    """MicroOcpp: the clock is set by the boot's answer, and the first statuses are of 1970."""
    charger = ground.charger("MO-FIELD51")
    charger.boot("a", "a", meterSerialNumber="a", meterType="a")
    for c in (0, 1, 2):
        charger.status("Available", c, f"1970-01-01T00:00:00.7{c}0Z")
    assert [status(charger, c) for c in (0, 1, 2)] == ["Available"] * 3
    charger.status("Preparing", 1, ground.at())
    ground.wait(4)
    assert [s["connectorId"] for s in charger.asked_to("RemoteStartTransaction")] == [1]
    other = ground.charger("MP-FIELD51")
    other.boot("a", "a")
    other.status("Preparing", 1, "1970-01-01T00:00:00.750Z")
    ground.wait(15)
    assert [s["connectorId"] for s in other.asked_to("RemoteStartTransaction")] == [1]


@case("c52", "lorenzodonini/ocpp-go#20")
def a_time_of_the_year_1(ground: Ground) -> None:
    """A library's zero time: 0001-01-01T00:00:00Z in StatusNotification."""
    charger = ground.charger("AM-FIELD52")
    charger.boot()
    charger.status("Available", 0, "0001-01-01T00:00:00Z")
    charger.status("Preparing", 1, "0001-01-01T00:00:00Z")
    assert status(charger) == "Preparing"
    ground.wait(5)
    assert len(charger.asked_to("RemoteStartTransaction")) == 1
    number = charger.start(100, "0001-01-01T00:00:00Z")
    charger.meter("0001-01-01T00:00:00Z", register(150), transaction=number)
    charger.stop(number, 200, "0001-01-01T00:00:00Z")
    assert (wh(session(charger)), session(charger).state) == (100, "stopped")


@case("c71", "steve-community/steve#740")
def a_session_of_2014_whose_stop_names_2_to_the_63(ground: Ground) -> None:
    """Alfen 5.4: its clock began in 2014, and StopTransaction carries 9223372036854775807."""
    charger = ground.charger("ALS-FIELD71")
    charger.boot("Alfen BV", "NG910-60553", firmwareVersion="5.4.0-4188")
    charger.start(12, "2014-01-01T01:13:13Z", tag="AB12CD34EF5080")
    charger.meter("2014-01-01T01:28:14Z", register(162), transaction=9223372036854775807)
    assert wh(session(charger)) == 150, (wh(session(charger)), session(charger).flags)
    charger.stop(9223372036854775807, 162, "2014-01-01T03:24:14Z", idTag="AB12CD34EF5080")
    ended = session(charger)
    assert (ended.state, wh(ended)) == ("stopped", 150)
    assert quarantined(charger) == []


@case("c90", "inferred from lorenzodonini/ocpp-go#20: the time left out, or null")
def no_time_at_all(ground: Ground) -> None:
    """Start, stop and a security event without a timestamp, or with null: ours is taken."""
    for name, times in (("ABSENT-FIELD90", {}), ("NULL-FIELD90", {"timestamp": None})):
        charger = ground.charger(name)
        charger.boot()
        start = {"connectorId": 1, "idTag": "ANNA", "meterStart": 1000, **times}
        number = charger.result("StartTransaction", start)["transactionId"]
        charger.result("SecurityEventNotification", {"type": "SettingSystemTime", **times})
        charger.result("StopTransaction", {"transactionId": number, "meterStop": 1090, **times})
        ended = session(charger)
        assert (ended.state, wh(ended)) == ("stopped", 90)
        assert ended.flags == "no-start-time no-stop-time"
