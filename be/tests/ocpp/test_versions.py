"""A frame is read, answered and kept as the version of OCPP that its connection has agreed upon."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from levity.ocpp.decisions.sessions import state_of
from levity.ocpp.models import ChargePoint, Connector, Message
from levity.ocpp.references import References
from levity.ocpp.request import Request, Response
from levity.ocpp.testing import CentralSystem, Charger
from levity.ocpp.versions import V16, VERSIONS, Version, version_of
from levity.ocpp.wire.schema import Schemas

ROOT = Path(__file__).parents[3]
OF_A_VERSION = ("be/levity/ocpp/v16/", "be/levity/ocpp/v201/", "be/levity/ocpp/v21/")
PLAYS_CHARGERS = ("be/levity/simulator/", "be/levity/ocpp/testing.py")
HISTORY = ("/migrations/",)
NAMES_ACTIONS = {
    "be/levity/monitoring/alerts/notices.py": "a conflict of 1.6's local list is told in its words",
    "be/levity/ocpp/effects/__init__.py": "the classes of two effects are called the same",
    "be/levity/ocpp/effects/sessions.py": "the classes of two effects are called the same",
    "be/levity/ocpp/middleware/authorization.py": "answers 1.6's idTagInfo",
    "be/levity/ocpp/middleware/auto_remote_start.py": "reads 1.6's idTag and idTagInfo",
    "be/levity/ocpp/middleware/registration.py": "a boot is called the same in all versions",
    "ws/src/levity_ws/edge/spool/answers.py": "the spool answers 1.6 only, and knows no backend",
}
"""Outside the rooms of the versions, and why."""
IMPORTS_V16 = {
    "be/levity/ocpp/decisions/quarantined_message.py": "takes quarantined messages of 1.6 again",
    "be/levity/ocpp/versions.py": "the one place",
    "be/levity/pages/chargers/security.py": "shows 1.6's key SecurityProfile",
}
"""Outside the rooms of the versions, and why."""


def sources(word: str = "") -> Iterator[tuple[str, ast.Module]]:
    """Every module that ships, is of no version and has this word; its syntax tree."""
    for folder in ("be/levity", "ws/src"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(OF_A_VERSION + PLAYS_CHARGERS) and HISTORY[0] not in name:
                text = path.read_text(encoding="utf-8")
                if word in text:
                    yield name, ast.parse(text)


def actions() -> set[str]:
    """Every action of every version."""
    spec = find_spec("ocpp")
    assert spec is not None
    assert spec.origin is not None
    published = Path(spec.origin).parent
    of_16 = {path.stem for path in published.glob("v16/schemas/*.json")}
    later = {path.stem for path in published.glob("v2*/schemas/*Request.json")}
    names = {name for name in of_16 if not name.endswith("Response")}
    return names | {name.removesuffix("Request") for name in later}


@pytest.mark.slow
def test_no_source_outside_the_versions_names_an_action() -> None:
    names = actions()
    assert {"Heartbeat", "StartTransaction", "TransactionEvent"} <= names
    found: dict[str, list[str]] = {}
    for name, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and node.value in names:
                found.setdefault(name, []).append(f"{name}:{node.lineno}: {node.value!r}")
    places = [place for name in found if name not in NAMES_ACTIONS for place in found[name]]
    assert places == [], "ask the version of the frame or charge point (levity/ocpp/versions.py)"
    assert set(NAMES_ACTIONS) == set(found), "a reason that is none any more"


def test_versions_are_imported_by_their_map_only() -> None:
    found = set()
    for name, tree in sources("v16"):
        for node in ast.walk(tree):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            if any(module.startswith("levity.ocpp.v16") for module in modules):
                found.add(name)
    assert found == set(IMPORTS_V16)


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


@pytest.mark.django_db
def test_connectors_of_two_evses_are_two_places() -> None:
    """Connector 1 of EVSE 2 is not connector 1 of EVSE 1, though OCPP 1.6 knows neither."""
    system, charger = CentralSystem(), Charger()
    system.connect(charger)
    row = ChargePoint.objects.get()
    for evse, status in ((0, "Available"), (2, "Faulted")):
        Connector.objects.create(charge_point=row, evse=evse, number=1, status=status)
    known = state_of(row).connectors
    assert {place: item.status for place, item in known.items()} == {
        (0, 1): "Available",
        (2, 1): "Faulted",
    }
    assert known[2, 1].evse == 2
