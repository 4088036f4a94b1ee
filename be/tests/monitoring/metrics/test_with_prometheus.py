"""Real Prometheus: it takes the rules, and scrapes a real Levity."""

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.metrics.test_monitoring_files import OPS
from tests.system.processes import Process, eventually, run
from tests.system.site import clean_environ, embedded

pytestmark = pytest.mark.deploy
FOLDER = OPS / "prometheus"


def tool(name: str) -> str:
    found = shutil.which(name)
    assert found, f"no {name} on the PATH: apt-get install prometheus"
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "levity.rules.yml"),
        ("test", "rules", "levity.test.yml"),
    ],
)
def test_promtool_takes_the_files(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = run([tool("promtool"), *arguments], clean_environ(tmp_path), FOLDER)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_prometheus_scrapes_a_real_levity(tmp_path: Path, django_db_blocker: Any) -> None:
    """P-10 and T-20, too: what the alarms are made of is there."""
    prometheus = tool("prometheus")
    with embedded(tmp_path, django_db_blocker) as site:
        pages = int(site.edges[0].line(r"http://localhost:(\d+)/admin/")[1])
        shutil.copy(FOLDER / "levity.rules.yml", tmp_path)
        jobs = [("levity-web", pages), ("levity-edge", site.port())]
        (tmp_path / "prometheus.yml").write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": ["levity.rules.yml"],
                    "scrape_configs": [
                        {
                            "job_name": name,
                            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
                        }
                        for name, port in jobs
                    ],
                }
            )
        )
        process = Process(
            "prometheus",
            [
                prometheus,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}",
                "--web.listen-address=127.0.0.1:0",
            ],
            clean_environ(tmp_path),
            tmp_path,
        )
        try:
            port = int(process.line(r"Listening on.*?127\.0\.0\.1:(\d+)")[1])
            process.line("Server is ready to receive web requests")

            def ask(path: str) -> Any:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}") as answer:
                    return json.load(answer)["data"]

            def values(query: str) -> list[str]:
                return [item["value"][1] for item in ask(f"query?query={query}")["result"]]

            assert eventually(lambda: values("up"), ["1", "1"]) == ["1", "1"]
            assert values("levity_workers") == ["1"]
            assert values("levity_edge_backend_available{job='levity-edge'}") == ["1"]
            assert len(values("levity_transaction_ids_used_ratio")) == 1
            assert len(values("levity_disk_free_ratio{path='/'}")) == 1
            health = {
                rule["name"]: rule["health"]
                for group in ask("rules")["groups"]
                for rule in group["rules"]
            }
            assert len(health) > 20
            assert set(health.values()) <= {"ok", "unknown"}
        finally:
            process.kill()
