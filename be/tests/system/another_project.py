"""A project that `django-admin startproject` makes, and the recipe of docs/extending.md."""

import re
from collections.abc import Sequence
from pathlib import Path

from django.core.management import call_command

from tests.system.processes import CHECKOUT, Process, Ran, python, run
from tests.system.site import clean_environ

__all__ = ["AnotherProject", "lines_of", "recipe"]

EXTENDING = (CHECKOUT / "docs/extending.md").read_text(encoding="utf-8")
CHAPTER = EXTENDING.partition("\n## Levity in your own Django project\n")[2]

# An app of that project, with a page in the project's own admin.
FLATS = {
    "__init__.py": "",
    "models.py": (
        "from django.db import models\n\n\n"
        "class Flat(models.Model):\n"
        "    number = models.CharField(max_length=9)\n"
        "    floor = models.IntegerField(default=0)\n"
        "    since = models.DateTimeField(null=True, blank=True)\n"
        "    is_let = models.BooleanField(default=False)\n\n"
        "    def __str__(self):\n"
        "        return self.number\n"
    ),
    "admin.py": (
        "from django.contrib import admin\n\nfrom flats.models import Flat\n\n\n"
        "@admin.register(Flat)\n"
        "class FlatAdmin(admin.ModelAdmin):\n"
        '    list_display = ["number", "floor", "is_let"]\n'
        '    list_filter = ["is_let"]\n'
        '    search_fields = ["number"]\n'
    ),
}

# What `manage.py makemigrations`, `migrate` and `createsuperuser` do, in one process instead of
# three: each would import everything once more.
TABLES = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "house.settings"
import django
django.setup()
from django.core.management import call_command
call_command("makemigrations", verbosity=0)
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_superuser("anna", "a@example.net", "s3cret-9")
"""


def recipe(file: str) -> list[str]:
    """The lines that the recipe has people add to this file."""
    [block] = re.findall(rf"```python\n# {re.escape(file)}\n(.*?)```", CHAPTER, re.DOTALL)
    return [line for line in str(block).splitlines() if line]


def lines_of(name: str) -> str:
    """The example file of this name in docs/extending.md."""
    [block] = re.findall(rf"```python\n# {re.escape(name)}\n(.*?)```", EXTENDING, re.DOTALL)
    return str(block)


class AnotherProject:
    """The project `house`, with an app `flats`; without Levity until `follow_the_recipe`."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.root = folder / "project"
        self.root.mkdir(parents=True)
        self.environ = clean_environ(folder, **environ)
        # Levity is installed, and its project's own variables are not set.
        for name in ("PYTHONPATH", "LEVITY_DATA_DIR", "TIME_ZONE"):
            del self.environ[name]
        call_command("startproject", "house", str(self.root))
        self.write("flats", FLATS)
        self.settings('INSTALLED_APPS += ["flats"]')

    def write(self, app: str, files: dict[str, str]) -> None:
        """An app of this project."""
        (self.root / app / "migrations").mkdir(parents=True, exist_ok=True)
        (self.root / app / "migrations/__init__.py").touch()
        for name, text in files.items():
            (self.root / app / name).write_text(text)

    def settings(self, *lines: str) -> None:
        """Add these lines at the end of the settings."""
        self._add("settings.py", lines)

    def urls(self, *lines: str) -> None:
        """Add these lines at the end of urls.py."""
        self._add("urls.py", lines)

    def _add(self, file: str, lines: Sequence[str]) -> None:
        with (self.root / "house" / file).open("a") as stream:
            stream.write("\n".join(["", *lines, ""]))

    def follow_the_recipe(self, *, without: str = "") -> None:
        """Add the lines of docs/extending.md; of the settings not those that hold `without`."""
        self.settings(
            *(line for line in recipe("settings.py") if not without or without not in line)
        )
        self.urls(*recipe("urls.py"))

    def follow_the_rest(self) -> None:
        """Add the lines for bills, events, files and the API."""
        self.settings(*recipe("settings.py, for all of Levity"))
        self.urls(*recipe("urls.py, for all of Levity"))

    def manage(self, *arguments: str, within: float = 120.0, **environ: str) -> Ran:
        """Run a command of manage.py."""
        command = python("manage.py", *arguments)
        return run(command, {**self.environ, **environ}, self.root, within)

    def must(self, *arguments: str, **environ: str) -> str:
        """The same, and it succeeds; what it said."""
        ran = self.manage(*arguments, **environ)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def migrate(self) -> None:
        """Make the tables, and a superuser `anna` with the password `s3cret-9`."""
        ran = run(python("-c", TABLES), self.environ, self.root)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def start(self, name: str, *arguments: str, **environ: str) -> Process:
        """A process of this project; the caller ends it."""
        return Process(name, python(*arguments), {**self.environ, **environ}, self.root)
