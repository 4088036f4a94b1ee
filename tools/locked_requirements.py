"""Print what a poetry.lock pins as requirements with hashes, for `pip install --require-hashes`.

So a newcomer's machine needs nothing but Python to install exactly what is locked: pip is there,
Poetry is not. Usage: locked_requirements.py LOCK GROUP... with +EXTRA for an extra of the package.
"""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ALWAYS = 'python_version >= "3"'


def requirements(
    lock: dict[str, Any], groups: Sequence[str], extras: Sequence[str] = ()
) -> Iterator[str]:
    """One requirement a package of these groups, and of these extras; packages of the checkout
    itself are left out."""
    for package in lock["package"]:
        wanted = [group for group in package["groups"] if group in groups]
        if not wanted:
            continue
        source = package.get("source")
        if source is not None:
            if source["type"] == "directory":
                continue  # the checkout beside this one: installed editable, it has no hash
            raise SystemExit(f"{package['name']}: a source of type {source['type']} is not locked")
        hashes = " ".join(f"--hash={file['hash']}" for file in package["files"])
        marker = _marker(package.get("markers"), wanted)
        # pip can't be told which extras are wanted: of a list of requirements it takes none.
        for extra in extras:
            marker = marker.replace(f'extra == "{extra}"', ALWAYS)
        yield f"{package['name']}=={package['version']}{marker} {hashes}"


def _marker(markers: str | dict[str, str] | None, groups: Sequence[str]) -> str:
    # A string holds for every group of the package, a table for the groups it names:
    # a group that it doesn't name needs the package everywhere.
    if isinstance(markers, dict):
        if any(group not in markers for group in groups):
            return ""
        markers = " or ".join(f"({markers[group]})" for group in groups)
    return f" ; {markers}" if markers else ""


def main() -> None:
    path, *named = sys.argv[1:]
    groups = [name for name in named if not name.startswith("+")]
    extras = [name.removeprefix("+") for name in named if name.startswith("+")]
    lock = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    if not lock["metadata"]["lock-version"].startswith("2."):
        raise SystemExit(f"{path}: lock-version {lock['metadata']['lock-version']} is not known")
    print("\n".join(requirements(lock, groups, extras)))


if __name__ == "__main__":
    main()
