"""What apps add to Levity's pages, by attributes of their `AppConfig` (docs/extending.md):

- `levity_navigation`: groups of the menu, each (title, entries), an entry (title, icon, target);
- `levity_session_figures`: a function of the request and a session, (title, value, note) of each
  figure that its page shows beside energy and duration;
- `levity_tiles` and `levity_trouble`: functions of the request, for the overview;
- `levity_reports`: names of reports, and a function (name, since, until, time zone) that makes the
  rows of one, for `run_report`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from levity.ocpp.visibility import has_sites, is_limited
from levity.pages.kit.formats import said

__all__ = [
    "NAVIGATION",
    "TILES",
    "TROUBLE",
    "Item",
    "Tile",
    "menu",
    "model_of",
    "reports",
    "tiles",
    "word_for",
]

log = logging.getLogger(__name__)

Item = dict[str, Any]
Tile = dict[str, Any]
Found = Callable[[HttpRequest], Iterable[Tile]]

NAVIGATION, TILES, TROUBLE = "levity_navigation", "levity_tiles", "levity_trouble"
FIGURES, REPORTS = "levity_session_figures", "levity_reports"
# Levity's own groups stand in this order, and all others behind them.
FIRST = ("Charging", "Maintenance", "Trouble", "Logs", "Certificates", "People", "Integrations")


def menu(request: HttpRequest) -> list[Item]:
    """The groups of the menu, with what this person may see of each; none that is empty."""
    groups: dict[str, list[Item]] = {title: [] for title in FIRST}
    for config in apps.get_app_configs():
        for title, entries in getattr(config, NAVIGATION, ()):
            groups.setdefault(title, []).extend(_items(request, entries))
    return [
        {"title": said(title), "separator": True, "items": items}
        for title, items in groups.items()
        if items
    ]


def word_for(label: str) -> str:
    """What the menu calls the list of this model ("ocpp.auditentry"); empty if it has none."""
    for config in apps.get_app_configs():
        for _, entries in getattr(config, NAVIGATION, ()):
            for title, _, target in entries:
                if target == label:
                    return str(said(title))
    return ""


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


def figures(request: HttpRequest, session: Any) -> list[tuple[str, str, str]]:
    """What apps know of a session: (title, value, note) of each."""
    found: list[tuple[str, str, str]] = []
    for config in apps.get_app_configs():
        if (given := getattr(config, FIGURES, None)) is None:
            continue
        try:
            function: Any = import_string(given) if isinstance(given, str) else given
            found += function(request, session)
        except Exception:
            log.exception("%s of %s failed: its figures are left out", FIGURES, config.name)
    return found


def reports() -> dict[str, str]:
    """Name of each report of apps -> the dotted path to the function that makes it."""
    given = (getattr(config, REPORTS, None) for config in apps.get_app_configs())
    return {name: path for each in given if each for name in each[0] for path in [each[1]]}


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
            yield {"title": said(title), "icon": icon, "link": link}


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
    for hook in (TILES, TROUBLE, FIGURES):
        given = getattr(config, hook, None)
        try:
            function = import_string(given) if isinstance(given, str) else given
        except ImportError as error:
            yield f"{hook}: {error}"
            continue
        if function is not None and not callable(function):
            yield f"{hook} is a function of the request, or the dotted path to one"
