"""The chain: Django's contract, guard rails that name the culprit, and an extension in it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.core.checks import Error, Warning
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from levity.ocpp.checks import LEAST_EDGE_TIMEOUT, check_middleware, check_settings
from levity.ocpp.conf import DEFAULT_OCPP_MIDDLEWARE
from levity.ocpp.effects import NoteSecurityEvent, StartTransaction, StopTransaction
from levity.ocpp.middleware import BadMiddleware, build_chain
from levity.ocpp.models import (
    ChargePoint,
    Command,
    FailedMessage,
    IdTag,
    Message,
    SecurityEvent,
    Transaction,
)
from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.wire.frames import ErrorCode, OcppError
from levity_ws.edge.relay import SILENCE_INTERVALS
from levity_ws.edge.settings import EdgeSettings
from tests.ocpp.charger import NOW, CentralSystem, Charger, at
from tests.ocpp.states import request

HERE = "tests.ocpp.extension.middleware"


def test_the_chain_is_passed_from_the_outside_in_and_back() -> None:
    """The first entry is the outermost, as in Django."""
    log: list[str] = []
    entries = [(f"{HERE}.Recorder", {"name": name, "log": log}) for name in "abc"]
    chain = build_chain(entries)
    assert "currentTime" in chain(request("Heartbeat")).payload
    assert log == ["a in", "b in", "c in", "c out", "b out", "a out"]


def test_a_middleware_may_be_a_function() -> None:
    """A factory that returns a callable."""
    chain = build_chain([f"{HERE}.function_style"], lambda request: Response({"a": 1}))
    assert chain(request("X")) == Response({"a": 1, "seen": True})


def test_actions_keep_a_middleware_out_of_the_way_of_other_messages() -> None:
    """`Shouting` raises at whatever it sees; here it is asked for Authorize only."""
    from tests.ocpp.extension import middleware

    class Picky(middleware.Shouting):
        actions = ["Authorize"]

    middleware.Picky = Picky  # type: ignore[attr-defined]  # found by its dotted path
    chain = build_chain([f"{HERE}.Picky"])
    assert "currentTime" in chain(request("Heartbeat")).payload
    with pytest.raises(ZeroDivisionError):
        chain(request("Authorize", {"idTag": "T"}))


class OfSessions:
    """Notes whose sessions begin and end, and what it was given."""

    effects = frozenset({StartTransaction, StopTransaction})
    seen: ClassVar[list[tuple[str, Response]]] = []

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, with a note behind it."""
        response = self.get_response(request)
        self.seen.append((request.action, response))
        return response.adding(NoteSecurityEvent("seen"))


class OfSessionsAndHeartbeats(OfSessions):
    """Both."""

    actions = frozenset({"Heartbeat"})


class Renaming(OfSessions):
    """Asks the chain about another request than it was given."""

    def __call__(self, request: Request) -> Response:
        """The response to that one."""
        return super().__call__(replace(request, action="Stopped"))


def _ending(request: Request) -> Response:
    """A handler of some version of OCPP: what is called Stopped ends a session."""
    if request.action == "Refused":
        raise OcppError(ErrorCode.INTERNAL_ERROR, "no")
    end = StopTransaction(7, None, NOW, None, "Local")
    return Response({"of": request.action}, (end,) if request.action == "Stopped" else ())


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("OfSessions", ["Stopped"]),
        ("OfSessionsAndHeartbeats", ["Heartbeat", "Stopped"]),
        ("Renaming", ["Stopped"]),
    ],
)
def test_effects_call_a_middleware_for_what_happens_whatever_the_message_is_called(
    name: str, seen: list[str]
) -> None:
    OfSessions.seen.clear()
    asked: list[str] = []

    def handler(request: Request) -> Response:
        asked.append(request.action)
        return _ending(request)

    chain = build_chain([f"{__name__}.{name}"], handler)
    assert chain(request("Authorize")) == Response({"of": "Authorize"})
    chain(request("Heartbeat"))
    ended = chain(request("Stopped"))
    assert [type(effect) for effect in ended.effects] == [StopTransaction, NoteSecurityEvent]
    with pytest.raises(OcppError):
        chain(request("Refused"))
    assert [action for action, _ in OfSessions.seen] == seen
    # The handler is asked once, but for a request that the middleware has made of its own.
    extra = ["Stopped"] if name == "Renaming" else []
    assert asked == ["Authorize", "Heartbeat", "Stopped", *extra, "Refused"]


@pytest.mark.parametrize("effects", ["StopTransaction", StopTransaction, {"StopTransaction"}, {7}])
def test_effects_that_are_none_are_named(effects: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OfSessions, "effects", effects)
    with pytest.raises(BadMiddleware, match=r"OfSessions'.*not a set of classes"):
        build_chain([f"{__name__}.OfSessions"])


def test_a_middleware_is_made_once() -> None:
    """As in Django: at start, not for every message."""
    made: list[object] = []

    def factory(get_response: Any) -> Any:
        made.append(get_response)
        return get_response

    from tests.ocpp.extension import middleware

    middleware.factory = factory  # type: ignore[attr-defined]  # found by its dotted path
    chain = build_chain([f"{HERE}.factory"])
    for _ in range(3):
        chain(request("Heartbeat"))
    assert len(made) == 1


BAD_ENTRIES = [
    ("nonsense", "'nonsense' is not a dotted path (package.module.Class)"),
    (7, "7 is neither a dotted path nor (dotted path, options)"),
    (("a.b", 7), "('a.b', 7) is neither a dotted path nor (dotted path, options)"),
    (
        "no.such.Thing",
        "'no.such.Thing' can't be imported: ModuleNotFoundError(\"No module named 'no'\")",
    ),
    (
        "tests.ocpp.extension.broken_module.X",
        "'tests.ocpp.extension.broken_module.X' can't be imported: RuntimeError('no licence')",
    ),
    (f"{HERE}.Missing", f"'{HERE}.Missing': there is no Missing in {HERE}"),
    (f"{HERE}.not_callable", f"'{HERE}.not_callable' is not callable"),
    (f"{HERE}.Bad", f"'{HERE}.Bad' can't be instantiated: KeyError('MY_SETTING')"),
    (
        f"{HERE}.makes_nothing",
        f"'{HERE}.makes_nothing' returns None, which is not callable",
    ),
    (
        f"{HERE}.Nameless",
        f"'{HERE}.Nameless': its actions are 'StartTransaction', not a set of names",
    ),
    (f"{HERE}.Numbered", f"'{HERE}.Numbered': its actions are 7, not a set of names"),
]


@pytest.mark.parametrize(("entry", "said"), BAD_ENTRIES)
def test_a_bad_entry_is_named_when_the_chain_is_built_and_by_the_system_check(
    settings: Any, entry: Any, said: str
) -> None:
    """ocpp.E001, before the first charger connects."""
    with pytest.raises(BadMiddleware) as caught:
        build_chain([entry])
    assert str(caught.value) == said
    settings.OCPP_MIDDLEWARE = [*DEFAULT_OCPP_MIDDLEWARE, entry]
    assert check_middleware() == [
        Error(
            f"OCPP_MIDDLEWARE: {said}",
            hint="Fix or remove this entry; docs/extending.md shows a whole example.",
            id="ocpp.E001",
        )
    ]


def test_options_that_do_not_fit_are_named(settings: Any) -> None:
    """ocpp.E001, with Python's own words."""
    settings.OCPP_MIDDLEWARE = [(f"{HERE}.Greeting", {"colour": "red"})]
    (problem,) = check_middleware()
    assert problem.id == "ocpp.E001"
    assert "unexpected keyword argument 'colour'" in problem.msg


@pytest.mark.parametrize("value", ["levity.ocpp.Middleware", 5, None])
def test_a_setting_that_is_no_list_is_named(settings: Any, value: Any) -> None:
    """ocpp.E001."""
    settings.OCPP_MIDDLEWARE = value
    assert check_middleware() == [
        Error("OCPP_MIDDLEWARE must be a list of dotted paths", id="ocpp.E001")
    ]


def test_an_action_that_no_charger_sends_is_named(settings: Any) -> None:
    """ocpp.E002: a mistyped action would never be noticed otherwise."""
    settings.OCPP_MIDDLEWARE = [f"{HERE}.Strict"]
    (problem,) = check_middleware()
    assert problem.id == "ocpp.E002"
    assert problem.msg == (
        f"OCPP_MIDDLEWARE: '{HERE}.Strict' is for StartTransactoin, which no charger sends"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OCPP_HEARTBEAT_INTERVAL", 0),
        ("OCPP_CALL_TIMEOUT", "60"),
        ("OCPP_EDGE_TIMEOUT", True),
        ("OCPP_FRAME_GAP", -0.1),
        ("OCPP_PING_INTERVAL", None),
        ("OCPP_UNKNOWN_CHARGE_POINTS", "maybe"),
        ("OCPP_AUTO_REMOTE_START_ID_TAG", ""),
        ("OCPP_AUTO_REMOTE_START_ID_TAG", "x" * 21),
        ("OCPP_AUTHORIZATION", "none"),
    ],
)
def test_a_value_out_of_range_is_named(settings: Any, name: str, value: Any) -> None:
    """ocpp.E003."""
    setattr(settings, name, value)
    (problem,) = check_settings()
    assert problem.id == "ocpp.E003"
    assert problem.msg.startswith(f"{name} must ")


@pytest.mark.parametrize(("seconds", "told"), [(20.9, ["ocpp.E006"]), (1, ["ocpp.E006"]), (21, [])])
def test_an_edge_that_lives_is_not_given_up(settings: Any, seconds: float, told: list[str]) -> None:
    """Below what an edge may be silent for, Levity does not start, and says what to do."""
    settings.OCPP_EDGE_TIMEOUT = seconds
    problems = check_settings()
    assert [problem.id for problem in problems] == told
    assert all("the default is 25" in str(problem.hint) for problem in problems)
    if told:
        with pytest.raises(SystemCheckError, match="OCPP_EDGE_TIMEOUT must be 21 or more"):
            call_command("consume_rpc_queue", skip_checks=False)


def test_the_least_patience_with_an_edge_is_what_the_edge_needs() -> None:
    """The two sides don't import each other; the figures must fit all the same."""
    assert SILENCE_INTERVALS * EdgeSettings().alive_interval < LEAST_EDGE_TIMEOUT


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("OCPP_HEARTBEAT", "Did you mean OCPP_HEARTBEAT_INTERVAL?"),
        ("OCCP_MIDDLEWARE", "Did you mean OCPP_MIDDLEWARE?"),
        ("OCPP_COFFEE", "docs/extending.md lists all of them."),
    ],
)
def test_a_setting_that_does_not_exist_is_named(settings: Any, name: str, hint: str) -> None:
    """ocpp.W001: mistyped, it would be ignored for ever."""
    setattr(settings, name, 5)
    said = f"{name} is not a setting of Levity"
    assert check_settings() == [Warning(said, hint=hint, id="ocpp.W001")]


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("OCPP_AUTHORIZATION", "knwon", "Did you mean 'known'?"),
        ("OCPP_UNKNOWN_CHARGE_POINTS", "Accepted", "Did you mean 'accept'?"),
        ("OCPP_SIGN_CERTIFICATES", "approved", "Did you mean 'approval'?"),
        ("OCPP_AUTHORIZATION", 7, None),
    ],
)
def test_a_word_that_is_mistyped_is_named_with_the_one_that_is_meant(
    settings: Any, name: str, value: Any, hint: str | None
) -> None:
    setattr(settings, name, value)
    (problem,) = check_settings()
    assert (problem.id, problem.hint) == ("ocpp.E003", hint)
    assert problem.msg.endswith(f", not {value!r}")


def test_the_defaults_pass_the_checks() -> None:
    """Nothing to say."""
    assert check_middleware() == check_settings() == []


@pytest.fixture
def site(settings: Any) -> CentralSystem:
    """One with the extension beside the defaults."""
    settings.OCPP_MIDDLEWARE = [*DEFAULT_OCPP_MIDDLEWARE, (f"{HERE}.Greeting", {"owner": "Ann"})]
    assert check_middleware() == []
    return CentralSystem()


@pytest.mark.django_db
def test_an_extension_uses_the_database_and_asks_for_a_call(site: CentralSystem) -> None:
    """Through the whole pipeline: its row, its effects, the defaults beside it."""
    charger = site.connect(Charger())
    started = site.start(charger, idTag="NEW")
    assert IdTag.objects.values("id_tag", "owner").get() == {"id_tag": "NEW", "owner": "Ann"}
    row = Command.objects.values("action", "payload", "not_before", "state", "source").get()
    assert row == {
        "action": "GetConfiguration",
        "payload": {"key": ["X"]},
        "not_before": at(5),
        "state": "queued",
        "source": "",
    }
    assert SecurityEvent.objects.values_list("type", "detail").get() == ("NewTag", "NEW")
    assert site.start(charger, idTag="NEW") == started
    assert Command.objects.count() == 1


@pytest.mark.django_db
def test_what_an_extension_wrote_goes_with_the_frame_that_fails(
    site: CentralSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs inside the batch's transaction; taken again frame by frame, it is written once."""
    from tests.ocpp.extension import middleware

    bad = Charger("BAD")
    call = middleware.Greeting.__call__

    def fail_at_bad(self: Any, request: Any) -> Response:
        response = call(self, request)
        if request.charge_point.identity == "BAD":
            raise ZeroDivisionError
        return response

    monkeypatch.setattr(middleware.Greeting, "__call__", fail_at_bad)
    chargers = [Charger("A"), bad, Charger("C")]
    frames = site.frames(*(charger.starts(idTag=charger.identity) for charger in chargers))
    assert [json.loads(frame)[0] for frame in frames] == [3, 4, 3]
    assert set(IdTag.objects.values_list("id_tag", flat=True)) == {"A", "C"}
    assert Transaction.objects.count() == Command.objects.count() == 2
    assert FailedMessage.objects.get().identity == "BAD"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Shouting", "Silent"])
def test_a_middleware_that_fails_at_everything_parks_everything_and_stops_nobody(
    settings: Any, name: str
) -> None:
    """Promise 7: every Call is answered, kept, and can be replayed when it is mended."""
    settings.OCPP_MIDDLEWARE = [f"{HERE}.{name}"]
    site = CentralSystem()
    frames = site.frames(*(Charger(f"CP{number}").boots() for number in range(5)))
    assert [json.loads(frame)[2] for frame in frames] == ["InternalError"] * 5
    assert FailedMessage.objects.count() == Message.objects.count() == 5


@pytest.mark.django_db
def test_a_database_error_that_a_middleware_hides_hurts_its_own_frame_only(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres refuses every further statement of that transaction."""
    from django.db import DatabaseError, connection

    from tests.ocpp.extension import middleware

    def hide(self: Any, request: Any) -> Response:
        if request.charge_point.identity == "BAD":
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT no_such_column FROM ocpp_idtag")
            except DatabaseError:
                if connection.vendor == "sqlite":
                    raise ValueError from None
        response: Response = self.get_response(request)
        return response

    monkeypatch.setattr(middleware.Shouting, "__call__", hide)
    settings.OCPP_MIDDLEWARE = [f"{HERE}.Shouting"]
    site = CentralSystem()
    frames = site.frames(Charger("A").starts(), Charger("BAD").starts(), Charger("C").starts())
    assert [json.loads(frame)[0] for frame in frames] == [3, 4, 3]
    assert ChargePoint.objects.count() == 3


def test_a_delay_is_part_of_the_effect() -> None:
    """Effects are values: whole ones can be compared."""
    from levity.ocpp.effects import SendCall

    one = SendCall("Reset", {"type": "Soft"}, delay=timedelta(seconds=1))
    assert one == SendCall("Reset", {"type": "Soft"}, timedelta(seconds=1))
    assert one != SendCall("Reset", {"type": "Soft"})
