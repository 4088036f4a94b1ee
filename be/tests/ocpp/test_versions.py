"""A frame is read, answered and kept as the version of OCPP that its connection has agreed upon."""

from dataclasses import replace
from typing import Any

import pytest

from levity.ocpp.models import ChargePoint, Message
from levity.ocpp.references import References
from levity.ocpp.request import Request, Response
from levity.ocpp.testing import CentralSystem, Charger
from levity.ocpp.versions import V16, VERSIONS, Version, version_of
from levity.ocpp.wire.schema import Schemas


class Tolerant(Schemas):
    """A version that has no schemas yet."""

    def __init__(self) -> None:
        super().__init__("", may_be_absent={}, may_be_anything={}, tells_nothing="")

    def check(self, action: str, payload: Any) -> tuple[str, ...]:
        return ()


def hello(request: Request) -> Response:
    return Response({"you": request.payload["name"], "spoken": request.subprotocol})


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Version:
    """A version of OCPP that nobody has written yet."""
    version = replace(
        V16,
        subprotocol="ocpp9",
        schemas=Tolerant(),
        references=lambda frame, text: References(),
        routes={"Hello": hello},
        senseless={},
    )
    monkeypatch.setitem(VERSIONS, "ocpp9", version)  # type: ignore[arg-type]
    return version


@pytest.mark.parametrize("subprotocol", ["", "ocpp1.6", "OCPP1.6", "ocpp1.6j", "ocpp16"])
def test_every_name_of_1_6_and_none_are_1_6(subprotocol: str) -> None:
    assert version_of(subprotocol) is V16


@pytest.mark.django_db
def test_two_chargers_in_one_batch_speak_each_its_own_version(other: Version) -> None:
    system, old, new = CentralSystem(), Charger("OLD"), Charger("NEW")
    for charger in (old, new):
        system.connect(charger)
    said = new.calls("Hello", {"name": "NEW"}, "n1")
    taken = system.take(
        old.calls("Hello", {"name": "OLD"}, "o1"), replace(said, subprotocol="ocpp9")
    )
    answers = {command.connection: command.text for command in taken.reply.commands}
    assert answers[new.connection] == '[3,"n1",{"you":"NEW","spoken":"ocpp9"}]'
    assert answers[old.connection].startswith('[4,"o1","NotImplemented"')
    assert Message.objects.get(unique_id="n1").action == "Hello"


@pytest.mark.django_db
def test_a_command_is_held_against_the_version_of_the_newest_connection(other: Version) -> None:
    from levity.ocpp.commands import BadCall, queue

    system, charger = CentralSystem(), Charger()
    system.take(charger.connects(subprotocol="ocpp1.6"))
    queue(ChargePoint.objects.get(), "Reset", {"type": "Soft"}, source="test")
    refusing = replace(other.calls, wrong_with=lambda action, payload: "there is no such Call")
    VERSIONS["ocpp9"] = replace(other, calls=refusing)  # type: ignore[index]
    system.take(charger.again().connects(subprotocol="ocpp9"))
    with pytest.raises(BadCall, match="no such Call"):
        queue(ChargePoint.objects.get(), "Reset", {"type": "Soft"}, source="test")
