"""What apps add to Levity's pages, by attributes of their `AppConfig` (docs/extending.md):

- `levity_navigation`: groups of the menu, each (title, entries), an entry (title, icon, target);
- `levity_tiles` and `levity_trouble`: functions of the request, for the overview.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from levity.ocpp.visibility import has_sites, is_limited

__all__ = ["NAVIGATION", "TILES", "TROUBLE", "Item", "Tile", "menu", "model_of", "tiles"]

log = logging.getLogger(__name__)

Item = dict[str, Any]
Tile = dict[str, Any]
Found = Callable[[HttpRequest], Iterable[Tile]]

NAVIGATION, TILES, TROUBLE = "levity_navigation", "levity_tiles", "levity_trouble"
# Levity's own groups stand in this order, and all others behind them.
FIRST = ("Charging", "Trouble", "Logs", "People")


def menu(request: HttpRequest) -> list[Item]:
    """The groups of the menu, with what this person may see of each; none that is empty."""
    groups: dict[str, list[Item]] = {title: [] for title in FIRST}
    for config in apps.get_app_configs():
        for title, entries in getattr(config, NAVIGATION, ()):
            groups.setdefault(title, []).extend(_items(request, entries))
    return [
        {"title": title, "separator": True, "items": items}
        for title, items in groups.items()
        if items
    ]


def tiles(request: HttpRequest, hook: str) -> list[Tile]:
    """What apps show on the overview under this hook, in the order of INSTALLED_APPS."""
    found: list[Tile] = []
    for config in apps.get_app_configs():
        if (given := getattr(config, hook, None)) is None:
            continue
        try:
            function: Found = import_string(given) if isinstance(given, str) else given
            found += function(request)
        except Exception:
            # The overview is looked at when something is wrong: it shows what it can.
            log.exception("%s of %s failed: its tiles are left out", hook, config.name)
    return found


def model_of(target: Any) -> Any:
    """The model that a target such as "billing.invoice" names, if its app is installed."""
    if isinstance(target, str) and target.count(".") == 1 and "/" not in target:
        try:
            return apps.get_model(target)
        except LookupError:
            return None
    return None


def _items(request: HttpRequest, entries: Iterable[Any]) -> Iterator[Item]:
    for title, icon, target in entries:
        if link := _address(request, target):
            yield {"title": title, "icon": icon, "link": link}


def _address(request: HttpRequest, target: Any) -> str:
    if callable(target):
        return str(target(request) or "")
    if model := model_of(target):
        return _list_of(request, model)
    return str(target) if "/" in str(target) else ""


def _list_of(request: HttpRequest, model: Any) -> str:
    user: Any = request.user
    app, name = model._meta.app_label, model._meta.model_name
    if is_limited(user) and not has_sites(model):
        return ""
    if not (user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}")):
        return ""
    try:
        return reverse(f"levity:{app}_{name}_changelist")
    except NoReverseMatch:
        return ""  # registered at another site only: the system check says so


def problems(config: AppConfig) -> Iterator[str]:
    """What is wrong with the hooks of this app, for the system check."""
    try:
        entries = [
            (title, *entry) for title, group in getattr(config, NAVIGATION, ()) for entry in group
        ]
    except (TypeError, ValueError):
        entries = [()]
    for entry in entries:
        if len(entry) != 4:
            yield f"{NAVIGATION} is a list of (title, [(title, icon, target), ...])"
            return
        target = entry[3]
        if not callable(target) and "/" not in str(target) and model_of(target) is None:
            yield f"{NAVIGATION}: {target!r} is not an installed model, an address or a function"
    for hook in (TILES, TROUBLE):
        given = getattr(config, hook, None)
        try:
            function = import_string(given) if isinstance(given, str) else given
        except ImportError as error:
            yield f"{hook}: {error}"
            continue
        if function is not None and not callable(function):
            yield f"{hook} is a function of the request, or the dotted path to one"
