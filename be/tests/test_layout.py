"""Names and places that others rely on."""

import importlib.util
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

import levity
import ocpp

BE = Path(levity.__file__).resolve().parents[1]


def test_the_package_ocpp_is_the_one_from_pypi() -> None:
    """be/ocpp has no __init__.py: it would hide the schemas that we check with."""
    found = importlib.util.find_spec("ocpp")
    assert found is not None
    assert found.origin is not None
    assert BE / "ocpp" not in Path(found.origin).resolve().parents
    assert (Path(ocpp.__file__).parent / "v16" / "schemas" / "Heartbeat.json").is_file()
    assert not list((BE / "ocpp").rglob("__init__.py"))


def test_the_documented_address_of_auto_remote_start_is_the_module_itself() -> None:
    """ocpp/services/ocpp/anon/auto_remote_start.py."""
    address = BE / "ocpp" / "services" / "ocpp" / "anon" / "auto_remote_start.py"
    assert address.is_symlink()
    assert not address.readlink().is_absolute()
    assert address.resolve() == BE / "levity" / "ocpp" / "middleware" / "auto_remote_start.py"
    assert "class AutoRemoteStart" in address.read_text()


@pytest.mark.django_db
def test_the_migrations_are_what_the_models_say() -> None:
    """`makemigrations --check`."""
    out = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert out.getvalue() == "No changes detected\n"


def test_the_system_checks_have_nothing_to_say() -> None:
    """`manage.py check`, all of Django's and ours."""
    out = StringIO()
    call_command("check", "--fail-level", "WARNING", stdout=out)
    assert out.getvalue() == "System check identified no issues (0 silenced).\n"
