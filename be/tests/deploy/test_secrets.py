"""levity-secrets: what a site is given at its first start."""

import subprocess
from pathlib import Path

import pytest

from levity.environment import secret
from levity_ws.environ import value_or_file
from levity_ws.rpc.topology import url_from_environ
from tests.deploy.images import image

FILES = {
    "levity/secret_key",
    "postgres/password",
    "postgres/url",
    "rabbitmq-conf/10-levity.conf",
    "rabbitmq/url",
}


def make(folder: Path) -> dict[str, str]:
    for name in ("levity", "postgres", "rabbitmq", "rabbitmq-conf"):
        (folder / name).mkdir(exist_ok=True)
    script = image("be").source("levity-secrets")
    assert script is not None
    subprocess.run(
        [script],
        env={"LEVITY_SECRETS_DIR": str(folder), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
    )
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_site_gets_secrets_of_its_own_once(tmp_path: Path) -> None:
    """P-03: and they stay."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, other = make(tmp_path / "a"), make(tmp_path / "b")
    assert set(first) == FILES
    assert make(tmp_path / "a") == first
    for name in ("levity/secret_key", "postgres/password"):
        assert len(first[name]) == 64
        assert first[name] != other[name]
    assert len({first[name] for name in FILES}) == len(FILES)
    assert first["postgres/url"] == (
        f"postgres://levity:{first['postgres/password']}@postgres:5432/levity"
    )
    password = first["rabbitmq/url"].removeprefix("amqp://levity:").partition("@")[0]
    assert len(password) == 64
    assert password not in other["rabbitmq/url"]
    assert f"default_pass = {password}\n" in first["rabbitmq-conf/10-levity.conf"]


def test_a_start_that_was_cut_off_is_gone_on_with(tmp_path: Path) -> None:
    first = make(tmp_path)
    (tmp_path / "rabbitmq-conf/10-levity.conf").unlink()
    (tmp_path / "levity/secret_key").write_text("")
    second = make(tmp_path)
    assert second["rabbitmq-conf/10-levity.conf"] == first["rabbitmq-conf/10-levity.conf"]
    assert len(second["levity/secret_key"]) == 64


def test_every_program_reads_its_secrets_from_files(tmp_path: Path) -> None:
    """SECRET_KEY_FILE, DATABASE_URL_FILE, AMQP_URL_FILE; a variable that is set comes first."""
    path = tmp_path / "url"
    path.write_text("amqp://levity:x@rabbitmq:5672/levity\n")
    environ = {"AMQP_URL": "", "AMQP_URL_FILE": str(path)}
    assert url_from_environ(environ) == "amqp://levity:x@rabbitmq:5672/levity"
    assert url_from_environ({**environ, "AMQP_URL": "amqp://other/"}) == "amqp://other/"
    assert secret(environ, "AMQP_URL") == "amqp://levity:x@rabbitmq:5672/levity"
    assert secret({}, "AMQP_URL") == ""


def test_a_promised_secret_that_is_not_there_is_no_reason_for_a_default(tmp_path: Path) -> None:
    """P-03: a start without secrets refuses, and the message holds none."""
    with pytest.raises(ValueError, match=r"DATABASE_URL_FILE: .*/none can't be read"):
        value_or_file({"DATABASE_URL_FILE": str(tmp_path / "none")}, "DATABASE_URL")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ValueError, match="is empty"):
        value_or_file({"SECRET_KEY_FILE": str(tmp_path / "empty")}, "SECRET_KEY")
