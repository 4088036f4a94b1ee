"""What somebody has chosen for the whole installation on the first pages: its clock and language.

Kept beside the key, in LEVITY_DATA_DIR/chosen.json, because the settings need it before there is a
database. What stands in the environment (TIME_ZONE, LEVITY_LANGUAGE) counts before it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["FILE", "LANGUAGES", "TIME_ZONE", "chosen", "keep", "language"]

FILE = "chosen.json"
TIME_ZONE, LANGUAGE = "time_zone", "language"
LANGUAGES = (
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("nl", "Nederlands"),
)
"""Each in its own words."""


def chosen(folder: Path) -> dict[str, str]:
    """What was chosen; nothing where nobody has, or where the file can't be read."""
    try:
        found = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): value for name, value in found.items() if isinstance(value, str)}


def keep(folder: Path, values: Mapping[str, str]) -> None:
    """Add these to what was chosen; raises OSError. The file is there whole, or as it was."""
    aside = folder / f"{FILE}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({**chosen(folder), **values}, file)
    aside.replace(folder / FILE)


def language(environ: Mapping[str, str], folder: Path) -> str:
    """LEVITY_LANGUAGE, or what was chosen, or the computer's own; English where it is another.

    Raises ValueError for a LEVITY_LANGUAGE that Levity does not speak.
    """
    known = dict(LANGUAGES)
    if given := environ.get("LEVITY_LANGUAGE", "").strip().lower():
        if given not in known:
            raise ValueError(f"LEVITY_LANGUAGE={given!r}: use one of {', '.join(known)}")
        return given
    # POSIX, 8.2: the first of these that is set counts.
    own = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    for word in (chosen(folder).get(LANGUAGE, ""), own[:2].lower()):
        if word in known:
            return word
    return "en"
