"""Who holds a database, in words: what each holder says of itself, and what others are told."""

import contextlib
import json
import os
import socket
from io import TextIOWrapper
from typing import Any

__all__ = ["holders_in", "session_name", "told"]


def holders_in(file: TextIOWrapper) -> list[dict[str, Any]]:
    """The process that claims to hold it, if it is alive as far as this machine can tell."""
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    with contextlib.suppress(OSError, ValueError):
        file.seek(0)
        for line in file.read().splitlines():
            known = json.loads(line)
            found[known.get("host"), known.get("pid")] = known
    return [known for known in found.values() if _may_be_alive(known)]


def _may_be_alive(known: dict[str, Any]) -> bool:
    if known.get("host") != socket.gethostname():
        return True
    try:
        os.kill(int(known["pid"]), 0)
    except (ProcessLookupError, KeyError, TypeError, ValueError):
        return False
    except OSError:
        return True  # the process of another user
    return True


def session_name(known: dict[str, Any]) -> str:
    """Truncated to the 63 bytes that Postgres keeps."""
    words = [f"{known['what']} pid {known['pid']} {known['host'][:12]}", known.get("address", "")]
    return " ".join(word for word in words if word)[:63]


def told(place: str, holders: list[dict[str, Any]], *, alone: bool) -> str:
    """What is said to whoever finds this database held by these."""
    who = "; ".join(_described(known) for known in holders) or "an unidentified process"
    lines = [f"Levity is already running on this database ({place}):", f"  {who}"]
    addresses = [known["address"] for known in holders if known.get("address")]
    if addresses:
        lines.append(f"Its web pages: {addresses[0]}")
    if alone:
        lines.append(
            "Nothing was changed. Stop that one first (Ctrl-C in its terminal, or `sudo systemctl "
            "stop levity`, or `kill` with that number). To run a second Levity with its own data, "
            "set LEVITY_DATA_DIR, or another database in DATABASE_URL."
        )
    else:
        lines.append(
            "Nothing was changed. `levity serve` without AMQP_URL needs its database exclusively: "
            "give it the same AMQP_URL as the workers, or stop it."
        )
    return "\n".join(lines)


def _described(known: dict[str, Any]) -> str:
    if "pid" not in known:
        where = f" from {known['from']}" if known.get("from") else ""
        return f"{known.get('name') or 'a worker'}{where}"
    elsewhere = "" if known.get("host") == socket.gethostname() else f" on {known.get('host')}"
    return f"{known.get('what')}, process {known['pid']}{elsewhere}, since {known.get('since')}"
