"""System checks: a setting that can't work is named before the first charger connects."""

import os
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS

from levity.ocpp.changes import BadReceiver, load_receiver
from levity.ocpp.chargers.quirks.profile import BadQuirk, own_profile
from levity.ocpp.conf import DEFAULTS, setting
from levity.ocpp.events import BadRecorder, load_recorder
from levity.ocpp.middleware import BadMiddleware, build_chain, load_middleware
from levity.ocpp.models import Authorization
from levity.ocpp.versions import ROUTES

__all__ = [
    "LEAST_EDGE_TIMEOUT",
    "check_database",
    "check_environment",
    "check_events",
    "check_middleware",
    "check_quirk_profiles",
    "check_receivers",
    "check_settings",
    "check_time_zones",
    "check_worker",
]

POSITIVE = (
    "OCPP_HEARTBEAT_INTERVAL",
    "OCPP_CALL_TIMEOUT",
    "OCPP_EDGE_TIMEOUT",
    "OCPP_PENDING_INTERVAL",
    "OCPP_CERTIFICATE_DAYS",
)
NOT_NEGATIVE = (
    "OCPP_LEDGER_FRAMES_YEARS",
    "OCPP_MESSAGE_ROW_DAYS",
    "OCPP_METER_VALUE_ROW_DAYS",
    "OCPP_ABANDONED_AFTER_DAYS",
    "OCPP_CERTIFICATE_RENEWAL_DAYS",
    "OCPP_FRAME_GAP",
    "OCPP_FRAME_TIME_LIMIT",
    "OCPP_PING_INTERVAL",
    "OCPP_NEW_PER_HOUR",
    "OCPP_NEW_PER_HOUR_PUBLIC",
)
# Two intervals of an edge's sign of life (ws: SILENCE_INTERVALS, alive_interval), and a second.
LEAST_EDGE_TIMEOUT = 21
UNKNOWN = ("accept", "pending", "reject")
SIGNING = ("triggered", "approval")


@register(Tags.compatibility)
def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.E001: an entry of OCPP_MIDDLEWARE can't be used. ocpp.E002: it names no such action."""
    entries = setting("OCPP_MIDDLEWARE")
    if isinstance(entries, str) or not hasattr(entries, "__iter__"):
        return [Error("OCPP_MIDDLEWARE must be a list of dotted paths", id="ocpp.E001")]
    problems: list[CheckMessage] = []
    for entry in entries:
        try:
            build_chain([entry])
            factory, _ = load_middleware(entry)
        except BadMiddleware as error:
            problems.append(
                Error(
                    f"OCPP_MIDDLEWARE: {error}",
                    hint="Fix or remove this entry; docs/extending.md shows a whole example.",
                    id="ocpp.E001",
                )
            )
            continue
        unknown = sorted(set(getattr(factory, "actions", None) or ()) - set(ROUTES))
        if unknown:
            problems.append(
                Error(
                    f"OCPP_MIDDLEWARE: {entry!r} is for {', '.join(unknown)}, "
                    "which no charger sends",
                    hint=f"Actions are: {', '.join(sorted(ROUTES))}.",
                    id="ocpp.E002",
                )
            )
    return problems


@register(Tags.compatibility)
def check_receivers(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.E007: an entry of OCPP_SESSIONS_CHANGED can't be used."""
    entries = setting("OCPP_SESSIONS_CHANGED")
    if isinstance(entries, str) or not hasattr(entries, "__iter__"):
        return [Error("OCPP_SESSIONS_CHANGED must be a list of dotted paths", id="ocpp.E007")]
    problems: list[CheckMessage] = []
    known: set[str] = set()
    for entry in entries:
        try:
            load_receiver(entry)
            if entry in known:
                raise BadReceiver(f"{entry!r} is named twice")
            known.add(entry)
        except BadReceiver as error:
            hint = "Correct or remove this entry; docs/extending.md shows a whole example."
            said = f"OCPP_SESSIONS_CHANGED: {error}"
            problems.append(Error(said, hint=hint, id="ocpp.E007"))
    return problems


@register(Tags.compatibility)
def check_events(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.E010: OCPP_EVENT_RECORDER can't be used."""
    path = setting("OCPP_EVENT_RECORDER")
    try:
        if path:
            load_recorder(path)
    except BadRecorder as error:
        hint = "Correct or remove the setting; docs/events.md says what it names."
        return [Error(f"OCPP_EVENT_RECORDER: {error}", hint=hint, id="ocpp.E010")]
    return []


@register(Tags.compatibility)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.E003: a value is out of its range. ocpp.W001: a setting of that name does not exist."""
    problems: list[CheckMessage] = []
    for name in (*POSITIVE, *NOT_NEGATIVE):
        value, least = setting(name), 0 if name in NOT_NEGATIVE else 1
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            problems.append(Error(f"{name} must be {least} or more, not {value!r}", id="ocpp.E003"))
    problems += _edge_timeout(setting("OCPP_EDGE_TIMEOUT"))
    problems += _one_of("OCPP_UNKNOWN_CHARGE_POINTS", UNKNOWN)
    problems += _one_of("OCPP_AUTHORIZATION", Authorization.values)
    problems += _one_of("OCPP_SIGN_CERTIFICATES", SIGNING)
    tag = setting("OCPP_AUTO_REMOTE_START_ID_TAG")
    if not isinstance(tag, str) or not 0 < len(tag) <= 20:
        problems.append(
            Error("OCPP_AUTO_REMOTE_START_ID_TAG must have 1 to 20 characters", id="ocpp.E003")
        )
    for name in dir(settings):
        if name in DEFAULTS or not name.isupper():
            continue
        # Where the prefix is mistyped, too, the rest has to be nearly right.
        is_ours = name.startswith("OCPP_")
        near = get_close_matches(name, DEFAULTS, n=1, cutoff=0.6 if is_ours else 0.9)
        if is_ours or near:
            hint = f"Did you mean {near[0]}?" if near else "docs/extending.md lists all of them."
            problems.append(
                Warning(f"{name} is not a setting of Levity", hint=hint, id="ocpp.W001")
            )
    return problems


def _one_of(name: str, words: Sequence[str]) -> list[CheckMessage]:
    """ocpp.E003: the setting's value is none of these words."""
    value = setting(name)
    if value in words:
        return []
    near = get_close_matches(str(value).lower(), words, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else None
    said = f"{name} must be one of {', '.join(words)}, not {value!r}"
    return [Error(said, hint=hint, id="ocpp.E003")]


@register(Tags.compatibility)
def check_environment(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.W002: a setting stands in the environment, where nothing reads it."""
    return [
        Warning(
            f"{name} in the environment has no effect",
            hint="Put it in a settings module (docs/extending.md, “Your own settings”).",
            id="ocpp.W002",
        )
        for name in sorted(set(DEFAULTS) & set(os.environ))
    ]


def _edge_timeout(seconds: Any) -> list[CheckMessage]:
    """ocpp.E006: edges that live would be given up, and their chargers shown offline."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return []  # ocpp.E003 says so
    if seconds < 1 or seconds >= LEAST_EDGE_TIMEOUT:
        return []
    return [
        Error(
            f"OCPP_EDGE_TIMEOUT must be {LEAST_EDGE_TIMEOUT} or more, not {seconds!r}",
            hint=(
                "An edge reports its connections again after 20 s of silence; with a shorter "
                "time-out, connected chargers would be shown as offline. Remove the setting: the "
                "default is 25."
            ),
            id="ocpp.E006",
        )
    ]


@register(Tags.compatibility)
def check_quirk_profiles(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.E004: an entry of OCPP_QUIRK_PROFILES can't be used."""
    entries = setting("OCPP_QUIRK_PROFILES")
    if isinstance(entries, str) or not hasattr(entries, "__iter__"):
        return [Error("OCPP_QUIRK_PROFILES must be a list of profiles", id="ocpp.E004")]
    problems: list[CheckMessage] = []
    names: set[str] = set()
    for entry in entries:
        try:
            profile = own_profile(entry)
            if profile.name in names:
                raise BadQuirk(f"OCPP_QUIRK_PROFILES: two profiles are called {profile.name!r}")
            names.add(profile.name)
        except BadQuirk as error:
            hint = "Fix or remove this entry; docs/chargers.md explains the fields."
            problems.append(Error(str(error), hint=hint, id="ocpp.E004"))
    return problems


@register(Tags.compatibility)
def check_time_zones(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.E009: times without a zone can't be compared with those of chargers."""
    if settings.USE_TZ:
        return []
    return [
        Error(
            "Levity needs times with a zone",
            hint="Add to the settings: USE_TZ = True",
            id="ocpp.E009",
        )
    ]


@register(Tags.compatibility)
def check_worker(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.W003: chargers' messages are taken by nobody in this project."""
    if apps.is_installed("levity.run"):
        return []
    return [
        Warning(
            "without levity.run there is no consume_rpc_queue and no serve: no charger is answered",
            hint='Add to the settings: INSTALLED_APPS += ["levity.run"]',
            id="ocpp.W003",
        )
    ]


@register(Tags.compatibility)
def check_database(**kwargs: Any) -> list[CheckMessage]:
    """ocpp.E008: SQLite transactions that fail as soon as two write at a time."""
    default = settings.DATABASES.get(DEFAULT_DB_ALIAS, {})
    if default.get("ENGINE") != "django.db.backends.sqlite3":
        return []
    if default.get("OPTIONS", {}).get("transaction_mode") == "IMMEDIATE":
        return []
    return [
        Error(
            "on SQLite, batches of messages would fail whenever another process writes",
            hint="Add to the settings: from levity.db.options import tuned, and after DATABASES: "
            'DATABASES["default"] = tuned(DATABASES["default"])',
            id="ocpp.E008",
        )
    ]
