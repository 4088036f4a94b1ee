"""What GitHub runs is what anybody can run (CHECKS.md P-05, P-08, P-13)."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.images import FULL, IMAGES
from tests.system.processes import CHECKOUT

WORKFLOWS = sorted((CHECKOUT / ".github/workflows").glob("*.yml"))


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    """P-05: with the release behind it, which dependabot reads."""
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    wrong = [
        line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_has_more_rights_than_it_needs(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
    # An expression inside a script is where somebody else's words would be run.
    assert not [step for step in steps(path) if "${{" in step.get("run", "")]


def test_every_job_of_ci_is_a_make_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    both = [CHECKOUT / f".github/workflows/{name}.yml" for name in ("ci", "nightly")]
    runs = [step["run"] for path in both for step in steps(path) if "run" in step]
    called = {run.removeprefix("make ") for run in runs if run.startswith("make ")}
    assert called <= targets
    assert {
        "lint",
        "test-fast",
        "test",
        "test-all",
        "field",
        "shapes",
        "images",
        "check-deploy",
        "try-compose",
        "audit",
        "sbom",
    } <= called
    others = [run for run in runs if not run.startswith("make ")]
    assert all(run.startswith("sudo apt-get update") for run in others)


def test_a_release_pins_our_own_images_by_digest(tmp_path: Path) -> None:
    """P-05, P-08: the compose files that a release carries."""
    (tmp_path / "digests").mkdir()
    for number, name in enumerate(IMAGES):
        (tmp_path / "digests" / f"levity-{name}").write_text(f"sha256:{number:064x}\n")
    release = CHECKOUT / "tools/release"
    subprocess.run([release, "pin", tmp_path / "digests", tmp_path / "out"], check=True)
    for name in FULL:
        services = yaml.safe_load((tmp_path / "out" / name).read_text())["services"]
        for service, what in services.items():
            if what["image"].startswith("ghcr.io/keeth/levity-") and "profiles" not in what:
                assert re.search(r"@sha256:[0-9a-f]{64}$", what["image"]), service
        assert services["fe"]["image"].endswith(f"{2:064x}")
    (tmp_path / "digests/levity-be").write_text("latest\n")
    refused = subprocess.run(
        [release, "pin", tmp_path / "digests", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, "is no digest" in refused.stderr) == (1, True)


def test_a_tag_that_is_not_the_version_is_no_release() -> None:
    done = subprocess.run(
        [CHECKOUT / "tools/release", "check", "v99.0.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "the tag is v99.0.0, but be is " in done.stderr) == (1, True)


def test_what_is_released_is_signed_and_listed() -> None:
    """P-08: Sigstore signatures of wheels and images, an SBOM of each."""
    text = (CHECKOUT / ".github/workflows/release.yml").read_text()
    assert text.count("actions/attest-build-provenance@") == 2
    assert "make wheels sbom" in text
    assert "sbom: true" in text


def test_whoever_finds_a_weakness_finds_out_whom_to_tell() -> None:
    """P-13."""
    text = (CHECKOUT / "SECURITY.md").read_text()
    assert "Report a vulnerability" in text
    assert "private" in text
    assert "SECURITY.md" in (CHECKOUT / "README.md").read_text()


def test_dependabot_looks_after_everything_that_is_pinned() -> None:
    updates = yaml.safe_load((CHECKOUT / ".github/dependabot.yml").read_text())["updates"]
    kinds = {update["package-ecosystem"] for update in updates}
    assert kinds == {"pip", "npm", "docker", "docker-compose", "github-actions"}
    folders = {
        folder
        for update in updates
        if update["package-ecosystem"] == "docker"
        for folder in update["directories"]
    }
    assert {f"/{name}" for name in IMAGES} <= folders
