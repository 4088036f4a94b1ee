"""The chain around the handlers: Django's middleware contract, with OCPP requests.

A middleware is a class or factory that takes `get_response` and returns a callable that takes a
`Request` and returns a `Response`. `actions = {...}` and `effects = {...}` on the class keep it out
of the way of all other messages. See docs/extending.md.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, get_args

from django.core.exceptions import MiddlewareNotUsed

from levity.ocpp.effects import Effect
from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.versions import route

__all__ = ["BadMiddleware", "Entry", "build_chain", "load_middleware"]

log = logging.getLogger(__name__)

Entry = str | tuple[str, Mapping[str, Any]]
Factory = Callable[..., GetResponse]


class BadMiddleware(Exception):
    """An entry of OCPP_MIDDLEWARE that can't be used; the text names it and says why."""


def load_middleware(entry: Entry) -> tuple[Factory, Mapping[str, Any]]:
    """The factory that an entry of OCPP_MIDDLEWARE names, and its options."""
    path, options = entry if isinstance(entry, tuple | list) and len(entry) == 2 else (entry, {})
    if not isinstance(path, str) or not isinstance(options, Mapping):
        raise BadMiddleware(f"{entry!r} is neither a dotted path nor (dotted path, options)")
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise BadMiddleware(f"{path!r} is not a dotted path (package.module.Class)")
    try:
        module = import_module(module_name)
    except Exception as error:  # whatever its author wrote: the entry is to be named
        raise BadMiddleware(f"{path!r} can't be imported: {error!r}") from error
    factory = getattr(module, name, None)
    if factory is None:
        raise BadMiddleware(f"{path!r}: there is no {name} in {module_name}")
    if not callable(factory):
        raise BadMiddleware(f"{path!r} is not callable")
    return factory, options


def build_chain(entries: Iterable[Entry], route: GetResponse = route) -> GetResponse:
    """The one callable that answers every request: middleware, outermost first, then the `route`
    (if none is given, the handler of the request's action in its version of OCPP).

    Each middleware is made once, as in Django. Raises `BadMiddleware`.
    """
    chain = route
    for entry in reversed(list(entries)):
        factory, options = load_middleware(entry)
        actions, effects = _actions_of(entry, factory), _effects_of(entry, factory)
        gate = _Gate(chain) if effects is not None else None
        try:
            link = factory(chain if gate is None else gate.get_response, **options)
        except MiddlewareNotUsed as error:
            # As in Django: it has looked around, and there is nothing to do for it here.
            log.debug("%r is not used: %s", entry, error)
            continue
        except Exception as error:  # as above
            raise BadMiddleware(f"{entry!r} can't be instantiated: {error!r}") from error
        if not callable(link):
            raise BadMiddleware(f"{entry!r} returns {link!r}, which is not callable")
        link = _named(entry, link)
        if effects is not None and gate is not None:
            chain = _on_effects(actions or frozenset(), effects, link, gate)
        elif actions is not None:
            chain = _only(actions, link, chain)
        else:
            chain = link
    return chain


def _actions_of(entry: Entry, factory: Factory) -> frozenset[str] | None:
    actions = getattr(factory, "actions", None)
    if isinstance(actions, str) or not isinstance(actions, Iterable | None):
        raise BadMiddleware(f"{entry!r}: its actions are {actions!r}, not a set of names")
    return None if actions is None else frozenset(actions)


def _effects_of(entry: Entry, factory: Factory) -> frozenset[type[Any]] | None:
    effects = getattr(factory, "effects", None)
    if effects is None:
        return None
    kinds = (
        effects if isinstance(effects, Iterable) and not isinstance(effects, str) else (effects,)
    )
    found = frozenset(kinds)
    if isinstance(effects, str | type) or not found <= frozenset(get_args(Effect)):
        raise BadMiddleware(
            f"{entry!r}: its effects are {effects!r}, not a set of classes of levity.ocpp.effects"
        )
    return found


def _named(entry: Entry, link: GetResponse) -> GetResponse:
    def checked(request: Request) -> Response:
        response: object = link(request)
        if not isinstance(response, Response):
            hint = "; is a `return` missing?" if response is None else ""
            raise BadMiddleware(f"{entry!r} returned {response!r:.100}, not a Response{hint}")
        return response

    return checked


def _only(actions: frozenset[str], link: GetResponse, otherwise: GetResponse) -> GetResponse:
    def choose(request: Request) -> Response:
        return (link if request.action in actions else otherwise)(request)

    return choose


class _Gate:
    """What lies behind a middleware that names effects: it is asked first, and passed on after."""

    def __init__(self, chain: GetResponse) -> None:
        self.chain = chain
        self.given: tuple[Request, Response] | None = None

    def get_response(self, request: Request) -> Response:
        """The response that is there already; of another request than the one it is of, its own."""
        if self.given is not None and self.given[0] is request:
            return self.given[1]
        return self.chain(request)


def _on_effects(
    actions: frozenset[str], effects: frozenset[type[Any]], link: GetResponse, gate: _Gate
) -> GetResponse:
    def choose(request: Request) -> Response:
        if request.action in actions:
            return link(request)
        response = gate.chain(request)
        if effects.isdisjoint(map(type, response.effects)):
            return response
        gate.given = request, response
        try:
            return link(request)
        finally:
            gate.given = None

    return choose
