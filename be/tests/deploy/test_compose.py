"""What the compose files and Dockerfiles promise (CHECKS.md, P and E-17); no engine is needed."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from levity_ws.edge.settings import EdgeSettings
from tests.deploy.images import COMPOSE, FULL, IMAGES, command_of, compose, image
from tests.system.processes import CHECKOUT

DIGEST = re.compile(r".+:.+@sha256:[0-9a-f]{64}")
SETTINGS = ("DEBUG", "HOSTNAME", "SECRET_KEY", "TIME_ZONE", "DATABASE_URL", "AMQP_URL")
SERVICES = [(name, service) for name in FULL for service in compose(name)["services"]]
VERSION = tomllib.loads((CHECKOUT / "be/pyproject.toml").read_text())["project"]["version"]


def service_of(name: str, service: str) -> dict[str, Any]:
    return dict(compose(name)["services"][service])


@pytest.mark.parametrize("name", FULL)
def test_only_nginx_is_published(name: str) -> None:
    """P-01, E-17: 80, and 443 with TLS, and FTP; no broker, database, edge or gunicorn."""
    published = {
        (service, port)
        for service, what in compose(name)["services"].items()
        for port in what.get("ports", [])
    }
    wanted = {("fe", "80:8080")} | ({("fe", "443:8443")} if "tls" in name else set())
    # Grafana is for this machine only, and only where somebody asks for it.
    local = {("grafana", "127.0.0.1:3000:3000")}
    # Some chargers transfer files by FTP alone; it is open only while a job needs it.
    ftp = {("files", "2121:2121"), ("files", "2122-2141:2122-2141")}
    assert published == wanted | local | ftp
    assert compose(name)["services"]["grafana"]["profiles"] == ["monitoring"]
    assert not any(
        what.get("network_mode") == "host" for what in compose(name)["services"].values()
    )


@pytest.mark.parametrize("name", FULL)
def test_broker_and_database_have_no_way_to_the_internet(name: str) -> None:
    """P-01: they are on a network without a gateway, and fe is not on it."""
    file = compose(name)
    assert file["networks"]["data"] == {"internal": True}
    assert [file["services"][service]["networks"] for service in ("postgres", "rabbitmq")] == [
        ["data"],
        ["data"],
    ]
    assert "networks" not in file["services"]["fe"]


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_every_container_has_the_rights_of_an_ordinary_user(name: str, service: str) -> None:
    """P-04: no root, nothing to write, no capabilities, limits, a health check, a bounded log."""
    what = service_of(name, service)
    assert what["read_only"] is True
    assert what["cap_drop"] == ["ALL"]
    assert what["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(what)
    assert re.fullmatch(r"\d+[mg]", what["mem_limit"])
    assert what["pids_limit"] <= 512
    assert what["healthcheck"]["test"][0] == "CMD"
    assert what["restart"] == ("no" if service == "secrets" else "unless-stopped")
    assert what["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    user = what.get("user") or image(str(what["build"]["dockerfile"]).rpartition("/")[0]).user
    assert user.split(":")[0] not in ("", "0", "root")
    assert not any("docker.sock" in str(volume) for volume in what.get("volumes", []))


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_every_image_is_pinned(name: str, service: str) -> None:
    """P-05: others' by digest; our own by the version that this checkout is."""
    what = service_of(name, service)
    if "build" in what:
        assert re.fullmatch(rf"ghcr\.io/keeth/levity-[a-z-]+:{re.escape(VERSION)}", what["image"])
        assert (CHECKOUT / what["build"]["dockerfile"]).is_file()
    else:
        assert DIGEST.fullmatch(what["image"])


@pytest.mark.parametrize("folder", IMAGES)
def test_every_base_is_pinned_by_digest(folder: str) -> None:
    """P-05: and what pip installs, by hash."""
    built = image(folder)
    assert built.bases
    assert all(DIGEST.fullmatch(base) for base in built.bases)
    assert built.user.split(":")[0].isdigit()
    assert int(built.user.split(":")[0]) > 0
    assert built.health
    text = (CHECKOUT / folder / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip install [^&\n]*", text)
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


@pytest.mark.parametrize("name", FULL)
def test_no_password_is_in_a_file_that_everybody_has(name: str) -> None:
    """P-03: they are made at the first start, and read from files; what may be set is empty."""
    file = compose(name)
    for service, what in file["services"].items():
        for variable, value in what.get("environment", {}).items():
            if re.search(r"PASS|SECRET|KEY|TOKEN|_URL", variable) and value:
                assert variable.endswith("_FILE"), (service, variable)
                assert str(value).startswith("/run/levity/"), (service, variable)
    assert not re.search(r"guest|changeme|hunter|admin:", (CHECKOUT / name).read_text())


@pytest.mark.parametrize("folder", IMAGES)
def test_no_password_is_in_an_image(folder: str) -> None:
    """P-03."""
    assert not [name for name in image(folder).environ if re.search("PASS|SECRET|KEY|URL", name)]


@pytest.mark.parametrize("name", FULL)
def test_the_documented_settings_are_there_to_be_set(name: str) -> None:
    file = compose(name)
    assert set(SETTINGS) <= set(file["x-settings"])
    for service in ("be", "worker", "daily", "files"):
        assert set(SETTINGS) <= set(file["services"][service]["environment"])
    assert file["x-settings"]["DEBUG"] == "false"
    assert file["x-settings"].get("LEVITY_HTTPS") == ("true" if "tls" in name else None)


@pytest.mark.parametrize("name", FULL)
def test_what_must_be_up_first_is_waited_for(name: str) -> None:
    services = compose(name)["services"]
    waits = {
        service: {on: how["condition"] for on, how in services[service]["depends_on"].items()}
        for service in ("be", "worker", "ws", "fe", "postgres", "rabbitmq")
    }
    ready = {"secrets": "service_completed_successfully"}
    stores = {"postgres": "service_healthy", "rabbitmq": "service_healthy"}
    assert waits == {
        "be": ready | stores,
        "worker": ready | stores,
        "ws": ready | {"rabbitmq": "service_healthy"},
        "fe": {"be": "service_healthy", "ws": "service_started"},
        "postgres": ready,
        "rabbitmq": ready,
    }


@pytest.mark.parametrize("name", FULL)
def test_there_are_descriptors_for_ten_thousand_chargers(name: str) -> None:
    """P-12: 25,000 at the very least, in nginx and in the edge."""
    services = compose(name)["services"]
    for service in ("fe", "ws", "rabbitmq"):
        limit = services[service]["ulimits"]["nofile"]
        assert min(limit["soft"], limit["hard"]) >= 25_000


@pytest.mark.parametrize("name", FULL)
def test_every_volume_is_filled_by_its_maker_alone(name: str) -> None:
    """A secret is writable for `secrets` only, and no other image's files are copied into it."""
    file = compose(name)
    for service, what in file["services"].items():
        for volume in what.get("volumes", []):
            if isinstance(volume, str):
                source = volume.partition(":")[0]
                assert source in file["volumes"]
                assert not source.endswith(("-secret", "-conf")) or service == "secrets"
            else:
                assert volume["read_only"] is True
                assert volume["volume"] == {"nocopy": True}
    secret = {"levity-secret", "postgres-secret", "rabbitmq-secret", "rabbitmq-conf"}
    mounted = {
        service: {
            volume["source"] for volume in what.get("volumes", []) if isinstance(volume, dict)
        }
        & secret
        for service, what in file["services"].items()
    }
    assert mounted["ws"] == {"rabbitmq-secret"}
    assert mounted["rabbitmq"] == {"rabbitmq-conf"}
    assert mounted["postgres"] == {"postgres-secret"}
    assert mounted["fe"] == set()
    holders = {
        service
        for service, what in file["services"].items()
        if "authority:/run/levity/authority" in what.get("volumes", [])
    }
    # The authority's key: not for web pages.
    assert holders == {"worker"}
    key = file["services"]["worker"]["environment"]["LEVITY_CA_KEY_FILE"]
    assert key.startswith("/run/levity/authority/")


@pytest.mark.parametrize("name", FULL)
def test_files_are_shared_by_those_who_use_them(name: str) -> None:
    """Web pages store and serve them, FTP does, and once a day the old ones are deleted."""
    services = compose(name)["services"]
    for service in ("be", "files", "daily"):
        assert "files:/data/files" in services[service]["volumes"]
        assert services[service]["environment"]["TMPDIR"] == "/data/files"
    assert " /data/files " in (CHECKOUT / "be/Dockerfile").read_text()


@pytest.mark.parametrize("name", FULL)
def test_the_edge_has_a_disk_for_its_spool_that_is_its_own_and_off(name: str) -> None:
    """The root is read-only, and an empty volume takes its owner from the image's folder."""
    ws = service_of(name, "ws")
    folder = "/var/lib/levity/spool"
    assert f"ws-spool:{folder}" in ws["volumes"]
    assert ws["environment"]["LEVITY_SPOOL"] == ""
    assert EdgeSettings.from_environ(ws["environment"]).spool == ""
    assert EdgeSettings.from_environ({"LEVITY_SPOOL": folder}).spool == folder
    made = re.search(
        rf"install --directory --owner=(\d+) --group=(\d+) --mode=0700 {folder}$",
        (CHECKOUT / "ws/Dockerfile").read_text(),
        re.MULTILINE,
    )
    assert made
    assert f"{made[1]}:{made[2]}" == image("ws").user
    others = {
        service
        for service, what in compose(name)["services"].items()
        if any("ws-spool" in str(volume) for volume in what.get("volumes", []))
    }
    assert others == {"ws"}
    # It is in the file what to write.
    assert f"# {folder}:" in (CHECKOUT / name).read_text()


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_what_a_container_runs_is_in_its_image(name: str, service: str) -> None:
    what = service_of(name, service)
    if "build" not in what:
        return
    folder = str(what["build"]["dockerfile"]).rpartition("/")[0]
    if folder.startswith("ops/"):
        return  # others' programs, with files of ours
    for words in (command_of(what), what["healthcheck"]["test"][1:]):
        program = words[1].rpartition("/")[2] if words[0] in ("sh", "python") else words[0]
        known = program in ("true", "wget") or image(folder).source(program.rpartition("/")[2])
        assert known, f"{service} runs {program}, which {folder}/Dockerfile does not copy"


def documented() -> list[list[str]]:
    """The `docker compose` lines of what people are told to type."""
    text = (CHECKOUT / "README.md").read_text() + (CHECKOUT / "docs/deploying.md").read_text()
    text += "".join((CHECKOUT / name).read_text().replace("#   ", "") for name in FULL)
    found = re.findall(r"^docker compose (?!-f)(.+?)(?: *#.*)?$", text, re.MULTILINE)
    return [shlex.split(line.partition(" <")[0].partition(" >")[0]) for line in found]


def test_every_documented_command_names_a_service_and_a_script_that_are_there() -> None:
    lines = documented()
    assert len(lines) > 8
    known = {service for name in COMPOSE for service in compose(name)["services"]}
    for words in lines:
        rest = [word for word in words if not word.startswith("-")]
        verb, rest = rest[0], rest[1:]
        if "--entrypoint" in words:
            entry = shlex.split(words[words.index("--entrypoint") + 1])
            assert entry[0] == "sh"
            script = Path(entry[1])
            assert script.parent == Path("/usr/local/bin")
            assert image("fe-tls").source(script.name), script
            assert words[-1] == "fe_tls"
        elif verb in ("run", "exec", "logs", "restart", "stop"):
            services = [word for word in rest if word in known]
            assert services, words


@pytest.mark.parametrize("name", ["be", "ws"])
def test_poetry_run_works_in_the_image_as_documented(name: str, tmp_path: Path) -> None:
    """`docker compose run --rm be poetry run python manage.py migrate`."""
    if name == "ws":
        assert image("ws").command == ["python", "main.py"]
        assert image("ws").source("main.py")
        return
    shim = image("be").source("poetry")
    assert shim is not None
    done = subprocess.run(
        [shim, "run", "sh", "-c", 'echo "$1"', "sh", "two words"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "two words\n"
    other = subprocess.run([shim, "install"], capture_output=True, text=True, check=False)
    assert (other.returncode, "poetry run COMMAND" in other.stderr) == (2, True)
    assert image("be").workdir == "/app/be"
    assert image("be").source("manage.py")


def test_nothing_but_sources_goes_into_a_build() -> None:
    """P-03: .dockerignore lets in what it names, so that no data and no .env can slip in."""
    lines = (CHECKOUT / ".dockerignore").read_text().split()
    assert "*" in lines
    allowed = {line[1:] for line in lines if line.startswith("!")}
    for folder in IMAGES:
        for source, _ in image(folder).copied:
            inside = {name for name in allowed if f"{name}/".startswith(source)}
            assert inside or any(source.startswith(name) for name in allowed), source
    assert not {"data", ".env", ".git", "be"} & allowed
