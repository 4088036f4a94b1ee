"""Simulated chargers keep local lists and reservations as real ones do."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from levity.simulator.answers import Reply, State, answer_to
from levity.simulator.configuration import FIXED_KEYS, configuration_keys
from levity.simulator.connector import Connector
from levity.simulator.kept import Free, KeepList, Kept, Reservation
from levity.simulator.makes import PROFILES
from tests.simulator.scripted import EPOCH, Stage, play

GENERIC = PROFILES["generic"]
HOUR = timedelta(hours=1)
LATER = EPOCH + HOUR


def state(kept: Kept | None = None, status: str = "Available") -> State:
    connector = Connector(1, GENERIC, Random(1))
    connector.status = status
    keys = configuration_keys(GENERIC)
    return State(GENERIC, [connector], keys, FIXED_KEYS, EPOCH, kept or Kept())


def now(key: int = 7, connector: int = 1, tag: str = "ANNA") -> dict[str, Any]:
    return {
        "connectorId": connector,
        "expiryDate": LATER.isoformat(),
        "idTag": tag,
        "reservationId": key,
    }


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("Available", "Accepted"),
        ("Charging", "Occupied"),
        ("Reserved", "Occupied"),
        ("Faulted", "Faulted"),
        ("Unavailable", "Unavailable"),
    ],
)
def test_a_reservation_is_answered_by_what_the_connector_is_doing(status: str, answer: str) -> None:
    reply = answer_to(state(status=status), "ReserveNow", now())
    deeds = (Reservation(7, 1, "ANNA", LATER),) if answer == "Accepted" else ()
    assert reply == Reply({"status": answer}, deeds=deeds)


def test_a_known_reservation_is_replaced_and_cancelled() -> None:
    kept = Kept(reservations={7: Reservation(7, 1, "ANNA", LATER)})
    again = answer_to(state(kept, "Reserved"), "ReserveNow", now(tag="BERT"))
    assert again.payload == {"status": "Accepted"}
    other = answer_to(state(kept, "Reserved"), "ReserveNow", now(key=8))
    assert other.payload == {"status": "Occupied"}
    gone = answer_to(state(kept), "CancelReservation", {"reservationId": 7})
    assert gone == Reply({"status": "Accepted"}, deeds=(Free(7),))
    unknown = answer_to(state(kept), "CancelReservation", {"reservationId": 8})
    assert unknown.payload == {"status": "Rejected"}
    assert answer_to(state(), "ReserveNow", now(connector=0)).payload == {"status": "Rejected"}


ANNA, BERT = ({"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in ("ANNA", "BERT"))


def sent(kind: str, version: int, *items: Any, kept: Kept | None = None) -> Reply:
    payload = {"updateType": kind, "listVersion": version, "localAuthorizationList": list(items)}
    return answer_to(state(kept), "SendLocalList", payload)


def test_a_local_list_is_sent_in_full_or_what_has_changed() -> None:
    full = sent("Full", 3, ANNA, BERT)
    [known] = full.deeds
    assert (full.payload, isinstance(known, KeepList)) == ({"status": "Accepted"}, True)
    assert isinstance(known, KeepList)
    kept = Kept(local_list=known)
    assert answer_to(state(kept), "GetLocalListVersion", {}).payload == {"listVersion": 3}
    late = sent("Differential", 3, ANNA, kept=kept)
    assert late == Reply({"status": "VersionMismatch"})
    [changed] = sent("Differential", 4, {"idTag": "BERT"}, kept=kept).deeds
    assert changed == KeepList(4, {"ANNA": {"status": "Accepted"}})
    assert sent("Full", 5, *[ANNA] * 101) == Reply({"status": "Failed"})


def test_a_held_connector_charges_for_its_tag_alone_and_is_free_in_the_end() -> None:
    async def story(scene: Stage) -> None:
        charger = scene.charge_point
        connector = charger.connector(1)
        await charger.ready()
        await scene.system.call("ReserveNow", now(), "r")
        await scene.after(1)
        assert connector.status == "Reserved"
        charger.plug_in()
        assert not await charger.present_tag("BERT")
        assert await charger.present_tag("ANNA")
        assert charger.kept.reservations == {}
        charger.unplug()
        assert connector.status == "Available"
        await scene.system.call("ReserveNow", now(key=8), "s")
        await scene.after(1)
        assert connector.status == "Reserved"
        await scene.after(2 * HOUR.total_seconds())
        assert connector.status == "Available"

    scene = play(story, GENERIC)
    assert scene.system.reply("r") == [3, "r", {"status": "Accepted"}]
    assert scene.system.one("StartTransaction")["reservationId"] == 7
