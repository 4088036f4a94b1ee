"""ops/: every metric that a rule or a dashboard names is one that Levity shows."""

import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from levity.monitoring.lease import take
from levity.monitoring.metrics import site_state
from levity.monitoring.metrics.counters import WEB, WORKER
from levity.monitoring.metrics.exposition import exposition
from levity.monitoring.models import Worker
from levity.ocpp.models import ChargePoint, Transaction
from levity_ws.edge.metrics import Metrics
from levity_ws.edge.server import EdgeServer
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.memory import MemoryBroker
from tests.ocpp.charger import NOW
from tests.system.processes import CHECKOUT

OPS = CHECKOUT / "ops"
RULES = OPS / "prometheus/levity.rules.yml"
DASHBOARDS = sorted((OPS / "grafana/dashboards").glob("*.json"))
# Prometheus' own, and what its client says of a process.
OTHERS = {"up", "process_open_fds", "process_max_fds"}
OTHERS |= {"process_resident_memory_bytes", "process_cpu_seconds_total"}
NAME = re.compile(r"\b((?:levity|process)_[a-z0-9_]+|up)\b(?!=)")


def rules() -> list[dict[str, str]]:
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def named_in_dashboards() -> set[str]:
    panels = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
    return {
        name
        for panel in panels
        for target in panel["targets"]
        for name in NAME.findall(re.sub(r'"[^"]*"', '""', target["expr"]))
    }


async def an_edge(folder: Path) -> Metrics:
    """What a real edge shows, with everything that may be switched on."""
    settings = EdgeSettings(
        host="127.0.0.1", port=0, spool=str(folder / "spool"), goodbye_timeout=0.1
    )
    edge = EdgeServer(settings, MemoryBroker().edge_transport())
    await edge.start()
    try:
        edge.metrics.text()
        return edge.metrics
    finally:
        await edge.stop()


@pytest.fixture
def shown(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """The names of all samples of edge, worker and web, on a site where everything occurs."""
    one = ChargePoint.objects.create(identity="CP1", last_seen_at=NOW)
    one.connectors.create(number=1, status="Faulted")
    Transaction.objects.create(
        charge_point=one, connector=1, started_at=NOW, meter_start=0, energy=1, power=1
    )
    monkeypatch.setattr(site_state.timezone, "now", lambda: NOW)
    Worker.objects.create(id="w", last_seen_at=NOW, report={"queue": 0, "dead_letters": 0})
    take("alerts", "w", NOW, {"disk_free": {"/": 0.5}, "certificates": {"fe:8443": 1.0}})
    text = exposition([site_state.State(), *WEB, *WORKER, asyncio.run(an_edge(tmp_path))]).decode()
    # Families whose labels have no value yet have no sample, but their name.
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    for family in text_string_to_metric_families(text):
        names |= {sample.name for sample in family.samples}
    return names


def test_every_metric_of_a_rule_is_shown_by_levity(shown: set[str]) -> None:
    named = {name for rule in rules() for name in NAME.findall(rule["expr"])}
    assert len(named) > 15
    assert named - shown - OTHERS == set()


def test_every_metric_of_a_dashboard_is_shown_by_levity(shown: set[str]) -> None:
    assert len(DASHBOARDS) == 2
    named = named_in_dashboards()
    assert len(named) > 30
    assert named - shown - OTHERS == set()


def test_every_metric_is_documented_and_nothing_else(shown: set[str]) -> None:
    page = (CHECKOUT / "docs/monitoring.md").read_text()
    documented = set(re.findall(r"`(levity_[a-z0-9_]+)`", page))
    families = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in shown}
    assert documented == {name for name in families if name.startswith("levity_")}


def test_every_rule_is_documented() -> None:
    page = (CHECKOUT / "docs/monitoring.md").read_text()
    documented = set(re.findall(r"^\| `(Levity\w+)`", page, re.MULTILINE))
    assert documented == {rule["alert"] for rule in rules()}


def test_panels_do_not_overlap_and_have_their_own_numbers() -> None:
    for path in DASHBOARDS:
        panels = json.loads(path.read_text())["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        cells = [
            (x, y)
            for panel in panels
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(set(cells)) == len(cells)
        assert max(x for x, _ in cells) < 24


def test_the_provisioned_names_fit_together() -> None:
    source = yaml.safe_load((OPS / "grafana/provisioning/datasources/levity.yml").read_text())
    [only] = source["datasources"]
    used = {
        panel["datasource"]["uid"]
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
    }
    assert used == {only["uid"]}
    provider = yaml.safe_load((OPS / "grafana/provisioning/dashboards/levity.yml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    assert f"COPY ops/grafana/dashboards {folder}" in Path(OPS / "grafana/Dockerfile").read_text()


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_the_images_are_pinned_and_not_roots(name: str) -> None:
    """P-04, P-05."""
    lines = (OPS / name / "Dockerfile").read_text().splitlines()
    [base] = [line for line in lines if line.startswith("FROM ")]
    assert re.fullmatch(r"FROM \S+:[\w.]+@sha256:[0-9a-f]{64}", base)
    assert lines[-1].startswith("USER ")
    assert not lines[-1].startswith(("USER 0", "USER root"))


@pytest.mark.parametrize("name", ["docker-compose.full.yml", "docker-compose.full-tls.yml"])
def test_prometheus_asks_where_the_processes_answer(name: str) -> None:
    services = yaml.safe_load((CHECKOUT / name).read_text())["services"]
    worker = services["worker"]["environment"]
    assert (worker["LEVITY_WORKER_HOST"], worker["LEVITY_WORKER_PORT"]) == ("0.0.0.0", "8001")
    jobs = yaml.safe_load((OPS / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    asked = set()
    for job in jobs:
        for where in job.get("dns_sd_configs", []):
            asked |= {f"{host}:{where['port']}" for host in where["names"]}
        for static in job.get("static_configs", []):
            asked |= set(static["targets"])
    assert asked == {"be:8000", "worker:8001", "ws:9000", "rabbitmq:15692"}
    assert {target.partition(":")[0] for target in asked} <= set(services)
    assert set(services["prometheus"]["networks"]) == {"default", "data"}
