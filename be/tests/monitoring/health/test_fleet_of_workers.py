"""Several real workers: each gives its sign of life, and one of them looks for what is wrong."""

import signal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from levity.monitoring.models import Duty, Worker
from tests.system.processes import eventually
from tests.system.site import fleet, http_get

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timed]


def test_two_workers_share_the_duties(tmp_path: Path, django_db_blocker: Any) -> None:
    with fleet(tmp_path, django_db_blocker, workers=2, edges=1, LEVITY_WORKER_PORT="0") as site:
        ports = [
            int(worker.line(r"/metrics on http://127\.0\.0\.1:(\d+)")[1]) for worker in site.workers
        ]
        for port in ports:
            ready = (200, b"ok\n")
            assert eventually(lambda port=port: http_get(port, "/readyz")[::2], ready) == ready
        assert eventually(lambda: site.books.count(Worker), 2) == 2

        def reports() -> set[Any]:
            rows = site.books.rows(Worker, "report")
            return {(report["connected"], report.get("dead_letters")) for (report,) in rows}

        # Within seconds of its start, not only with the next sign.
        assert eventually(reports, {(True, 0)}, within=8) == {(True, 0)}
        # The edge asks for a sign of life, so batches were taken.
        taken = 0.0
        for port in ports:
            text = http_get(port, "/metrics")[2].decode()
            for family in text_string_to_metric_families(text):
                if family.name == "levity_worker_batches":
                    taken += sum(sample.value for sample in family.samples)
        assert taken >= 1
        [(holder,)] = site.books.rows(Duty, "holder", name="alerts")
        pid = holder.rpartition("-")[0].rpartition("-")[2]
        [one] = [worker for worker in site.workers if str(worker.pid) == pid]
        [other] = [worker for worker in site.workers if worker is not one]
        assert one.stop(signal.SIGTERM) == 0
        assert site.books.count(Worker) == 1

        def holds() -> bool:
            [(now,)] = site.books.rows(Duty, "holder", name="alerts")
            return f"-{other.pid}-" in now

        assert eventually(holds, True)
        assert "Traceback" not in one.log + other.log
