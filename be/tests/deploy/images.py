"""What the Dockerfiles and compose files say, read so that tests can't drift from them."""

import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.system.processes import CHECKOUT

__all__ = ["COMPOSE", "FULL", "IMAGES", "Image", "command_of", "compose", "image"]

FULL = ("docker-compose.full.yml", "docker-compose.full-tls.yml")
COMPOSE = ("docker-compose.yml", *FULL)
IMAGES = ("be", "ws", "fe", "fe-tls")


def compose(name: str) -> dict[str, Any]:
    """A compose file, its anchors and merges resolved."""
    return deepcopy(_parsed(name))


@cache
def _parsed(name: str) -> dict[str, Any]:
    # It takes a third of a second, and each test asks.
    return dict(yaml.safe_load((CHECKOUT / name).read_text()))


@dataclass
class Image:
    """The last stage of a Dockerfile, and what all of its stages build on."""

    folder: str
    bases: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    user: str = ""
    workdir: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    copied: list[tuple[str, str]] = field(default_factory=list)
    """(in the checkout, in the image) of what does not come from another stage."""

    def source(self, program: str) -> Path | None:
        """The file of the checkout that `program` is in the image, where it is one of ours."""
        for source, target in self.copied:
            here = CHECKOUT / source
            if here.is_dir() and target == "/usr/local/bin/" and (here / program).is_file():
                return here / program
            if here.is_file() and here.name == program and target.endswith("/"):
                return here
        return None


def image(folder: str) -> Image:
    """What FOLDER/Dockerfile makes."""
    found = Image(folder)
    text = (CHECKOUT / folder / "Dockerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        match word:
            case "FROM":
                base = rest.split(" AS ")[0]
                found = Image(folder, [*found.bases, base])
            case "CMD":
                found.command = json.loads(rest)
            case "ENTRYPOINT":
                found.entrypoint = json.loads(rest)
            case "HEALTHCHECK":
                found.health = json.loads(rest[rest.index("CMD ") + 4 :])
            case "USER":
                found.user = rest
            case "WORKDIR":
                found.workdir = rest
            case "ENV":
                found.environ |= dict(pair.split("=", 1) for pair in rest.split())
            case "COPY" if "--from" not in rest:
                *sources, target = rest.split()
                found.copied += [(source, target) for source in sources]
    return found


def command_of(service: dict[str, Any]) -> list[str]:
    """What this service of a compose file runs: its own command, or its image's."""
    built = image(str(service["build"]["dockerfile"]).rpartition("/")[0])
    return [*built.entrypoint, *(service.get("command") or built.command)]
