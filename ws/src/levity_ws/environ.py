"""Settings from the environment, or from the file that NAME_FILE names (a container's secrets)."""

from collections.abc import Mapping
from pathlib import Path

__all__ = ["value_or_file"]


def value_or_file(environ: Mapping[str, str], name: str) -> str:
    """NAME if it is set; else the content of the file NAME_FILE, stripped. Empty if there is
    neither. ValueError if the file can't be read or is empty: a process that was promised a secret
    must not go on with a default.
    """
    value = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "").strip()
    if value or not path:
        return value
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_FILE: {path} can't be read ({error})") from error
    if not value:
        raise ValueError(f"{name}_FILE: {path} is empty")
    return value
