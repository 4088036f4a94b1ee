"""What `levity serve` prints when it is ready: the login last, so that it stays in sight."""

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import segno
from django.contrib.auth import get_user_model
from django.urls import NoReverseMatch, reverse

from levity.addresses import EXAMPLE, PLACEHOLDER, charger_addresses, local_addresses
from levity.installation import data_dir, is_levitys_own
from levity_ws import __version__

__all__ = ["as_typed", "first_admin", "new_password", "pages_path", "welcome"]

# No characters that look alike in some typefaces: no 0 and O, no 1, l and I, no 5 and S, no 2 and
# Z, no 8 and B, not both V and U.
CAPITALS, VOWELS, ENDS, DIGITS = "CDFGHJKLMNPRTWX", "aeu", "bdfgkmnprstvx", "34679"
GROUPS = 5
PLAYING = "ten simulated chargers are running (LOG_LEVEL=INFO shows their messages here)"
# Lines of a QR code that can be photographed, and of the log below it.
LOG_LINES = 4


def new_password() -> str:
    """Twenty letters and digits in groups such as Kam4Rud7; sixty bits."""
    kinds = (CAPITALS, VOWELS, ENDS, DIGITS)
    return "".join(secrets.choice(kind) for _ in range(GROUPS) for kind in kinds)


def first_admin(environ: Mapping[str, str]) -> list[str]:
    """Make the first superuser if there is none; how to log in, for people, in one or two lines."""
    if not is_levitys_own():
        return [
            f"as everywhere in this project (a new one: {as_typed(sys.argv[0])} createsuperuser)"
        ]
    users = get_user_model().objects
    existing = users.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if existing is not None:
        name = existing.get_username()
        return [f"{name} (password forgotten: {_change(name)})"]
    name = environ.get("DJANGO_SUPERUSER_USERNAME") or "admin"
    given = environ.get("DJANGO_SUPERUSER_PASSWORD")
    password = given or new_password()
    email = environ.get("DJANGO_SUPERUSER_EMAIL", "")
    users.create_superuser(name, email, password)
    if given:
        return [f"{name} (with the password you gave)"]
    return [
        f"{name}, password {password}   (shown only this once)",
        f"to set a new one: {_change(name)}",
    ]


def _change(name: str) -> str:
    return f"{as_typed(sys.argv[0])} changepassword {name}"


def as_typed(called: str) -> str:
    """How to call this program at the user's prompt; after `make run` it is not on the PATH."""
    path = Path(called)
    if path.name == "__main__.py":
        return "python -m levity"
    on_path = shutil.which(path.name)
    return path.name if on_path and path.exists() and path.samefile(on_path) else called


def pages_path() -> str:
    """The path of Levity's pages; `/` in a project that has none."""
    try:
        return reverse("levity:index")
    except NoReverseMatch:
        return "/"


def welcome(http_port: int, ws_port: int, login: list[str], *, demo: bool = False) -> str:
    """The addresses of the pages and for chargers, and at the end how to log in."""
    path = pages_path()
    pages = [f"http://{host}:{http_port}{path}" for host in local_addresses()]
    addresses = charger_addresses("localhost", os.environ, port=ws_port)
    simulate = f"{as_typed(sys.argv[0])} simulate --url ws://localhost:{ws_port}/ws"
    chargers = [f"{address.url}{PLACEHOLDER}" for address in addresses]
    chargers.append(f"{addresses[0].bare}{PLACEHOLDER}   (Grizzl-E: without ws://)")
    rows = [
        ("Levity", [f"{__version__}, its data in {data_dir()}"]),
        ("Chargers", [*chargers, f"with a name of your choice at its end, such as {EXAMPLE}"]),
        ("To try", [PLAYING if demo else f"{simulate} --charge-points 3"]),
        ("Web pages", [f"http://localhost:{http_port}{path}", *pages]),
        ("Log in as", login),
    ]
    lines = ["", "Levity is running. Stop it with Ctrl-C.", ""]
    for title, texts in rows:
        for number, text in enumerate(texts):
            lines.append(f"  {title if not number else '':<14}  {text}")
    return "\n".join([*_picture(addresses[0].url, len(lines)), *lines, ""])


def _picture(address: str, lines: int) -> list[str]:
    """The chargers' address as a QR code for a phone, if the terminal has room for it above the
    rest."""
    if not sys.stdout.isatty():
        return []
    code = segno.make(address, error="l", boost_error=False)
    size = len(code.matrix) + 4
    columns, rows = shutil.get_terminal_size()
    if columns < size + 4 or rows < size // 2 + lines + LOG_LINES:
        return []
    matrix = [list(row) for row in code.matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append([0] * len(matrix[0]))
    # Scanners accept light on dark as well as dark on light: the light squares are drawn.
    drawn = [
        "  "
        + "".join(" ▄▀█"[(not one) * 2 + (not other)] for one, other in zip(*pair, strict=True))
        for pair in zip(matrix[::2], matrix[1::2], strict=True)
    ]
    return ["", *drawn, f"  {address}"]
