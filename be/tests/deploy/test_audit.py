"""`make audit`: what is locked, what we wrote, and secrets (CHECKS.md P-06, P-07)."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.processes import CHECKOUT

AUDIT = CHECKOUT / "tools/audit"


def test_the_audit_asks_about_every_list_of_pinned_packages() -> None:
    """P-06: the look-up itself needs PyPI; CI makes it weekly. No answer is no good news."""
    text = AUDIT.read_text()
    pinned = subprocess.run(
        ["git", "grep", "-l", "--", "--hash=sha256:", "--", "*.txt"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {"fe-tls/requirements.txt", "tools/deploy.txt"} <= set(pinned)
    assert all(name in text for name in pinned)
    assert all(f"{name}/poetry.lock" in text for name in ("be", "ws"))
    assert "--strict" in text
    assert "--require-hashes" in text


@pytest.mark.deploy
@pytest.mark.slow
def test_our_own_code_and_repository_are_clean() -> None:
    """P-07: bandit and a scan for secrets; ruff's S rules are in `make lint`."""
    done = subprocess.run(
        [AUDIT, "--offline"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.deploy
def test_a_secret_and_a_weakness_are_found(tmp_path: Path) -> None:
    """P-07: the scan can fail: a private key in a file, and a shell that anybody can steer."""
    for name in ("tools/audit", "tools/locked_requirements.py", "be/poetry.lock", "ws/poetry.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    for name in (".venv", ".deploy"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / "ws/src").mkdir()
    (tmp_path / "be/levity").mkdir()
    (tmp_path / "be/levity/bad.py").write_text(
        "import os, subprocess\nsubprocess.call(os.environ['X'], shell=True)\n"
    )
    begin = "-----BEGIN " + "RSA PRIVATE KEY-----"
    (tmp_path / "be/levity/key.txt").write_text(f"{begin}\nMIIE\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "be", "tools"], cwd=tmp_path, check=True)
    done = subprocess.run(
        [tmp_path / "tools/audit", "--offline"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "subprocess_popen_with_shell_equals_true" in done.stdout
    assert "Private Key" in done.stdout
    assert "bandit" in done.stderr
    assert "secrets in the repository" in done.stderr


@pytest.mark.parametrize(
    ("answer", "is_said"),
    [
        ("ERROR:pip_audit._cli:x: Dependency not found on PyPI and could not be audited", True),
        ("Found 1 known vulnerability in 1 package", False),
    ],
)
def test_the_audit_tells_a_weakness_from_an_answer_that_never_came(
    tmp_path: Path, answer: str, is_said: bool
) -> None:
    """P-06: both fail; whoever has no network is told that, and what he can do."""
    for name in ("tools/audit", "tools/locked_requirements.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    for name, text in (
        (".venv/bin/python", ""),
        (".deploy/bin/pip-audit", f"echo '{answer}' >&2; exit 1"),
        (".deploy/bin/bandit", ""),
        (".deploy/bin/detect-secrets-hook", ""),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "tools/audit"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert answer in done.stdout
    assert ("Run it again where pypi.org answers" in done.stderr) is is_said
    assert "known weaknesses: tools/build.txt" in done.stderr
