"""Middleware of an extension: one that uses the database, and some that can't work."""

from datetime import timedelta
from typing import Any

from levity.ocpp.effects import NoteSecurityEvent, SendCall
from levity.ocpp.models import IdTag
from levity.ocpp.request import GetResponse, Request, Response


class Greeting:
    """Whoever charges with an unknown tag is put on the list, and asks the charger for its log."""

    actions = frozenset({"StartTransaction"})

    def __init__(self, get_response: GetResponse, owner: str = "nobody") -> None:
        self.get_response = get_response
        self.owner = owner

    def __call__(self, request: Request) -> Response:
        """The response of the chain, with a Call behind it."""
        response = self.get_response(request)
        tag, new = IdTag.objects.get_or_create(
            id_tag=str(request.payload["idTag"]), defaults={"owner": self.owner}
        )
        if not new or request.repeated is not None:
            return response
        return response.adding(
            SendCall("GetConfiguration", {"key": ["X"]}, delay=timedelta(seconds=5)),
            NoteSecurityEvent("NewTag", tag.id_tag),
        )


class Recorder:
    """Notes in which order the chain is passed; `log` is the test's."""

    def __init__(self, get_response: GetResponse, name: str, log: list[str]) -> None:
        self.get_response = get_response
        self.name = name
        self.log = log

    def __call__(self, request: Request) -> Response:
        """The response of the chain."""
        self.log.append(f"{self.name} in")
        response = self.get_response(request)
        self.log.append(f"{self.name} out")
        return response


def function_style(get_response: GetResponse) -> GetResponse:
    """Django knows middleware that is a function, too."""

    def middleware(request: Request) -> Response:
        response = get_response(request)
        return Response({**response.payload, "seen": True}, response.effects)

    return middleware


class Strict:
    """For an action that no charger sends."""

    actions = frozenset({"StartTransactoin"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """Never called."""
        return self.get_response(request)


class Bad:
    """Fails when it is made."""

    def __init__(self, get_response: GetResponse) -> None:
        raise KeyError("MY_SETTING")


class Nameless(Strict):
    """Says its actions as one word instead of a set."""

    actions: Any = "StartTransaction"


class Numbered(Strict):
    """Says a number instead."""

    actions: Any = 7


class Shouting(Strict):
    """Raises whenever it is called."""

    actions: Any = None

    def __call__(self, request: Request) -> Response:
        """Never returns."""
        raise ZeroDivisionError


class Silent(Strict):
    """Forgets to return its response."""

    actions: Any = None

    def __call__(self, request: Request) -> Any:
        """None."""
        self.get_response(request)


def makes_nothing(get_response: GetResponse) -> None:
    """A factory that forgets to return."""


not_callable = 5
