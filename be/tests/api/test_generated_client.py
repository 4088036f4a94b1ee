"""The client that a user generates from the schema works: a session with one, over HTTP."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from levity.ocpp.testing import CentralSystem, Charger
from tests.api.conftest import Caller

# Without the formatters that it calls when it has them: they are not what is tested.
CONFIG = "post_hooks: []\nproject_name_override: levity-client\n"
NAME = "levity_client"


@pytest.fixture
def client_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a package that was generated, offline, and can be imported."""
    from levity.api.v1 import api

    (tmp_path / "openapi.json").write_text(json.dumps(api.document()))
    (tmp_path / "config.yml").write_text(CONFIG)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", "openapi.json", "--config", "config.yml", "--output-path", NAME),
            "--fail-on-warning",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    return NAME


@pytest.mark.slow
@pytest.mark.once
def test_a_session_with_a_generated_client(
    transactional_db: None, live_server: Any, caller: Callable[..., Caller], client_package: str
) -> None:
    system, charger = CentralSystem(), Charger("CP1")
    system.connect(charger)
    system.take(charger.boots())
    transaction = system.start(charger)
    system.take(charger.measures(transaction, 2000))

    def module(name: str) -> Any:
        return importlib.import_module(f"{client_package}.{name}")

    client = module("client").AuthenticatedClient(live_server.url, caller("admin").token)

    def ask(group: str, name: str, *arguments: Any, **named: Any) -> Any:
        return module(f"api.{group}.{name}").sync(*arguments, client=client, **named)

    models = module("models")
    site = ask("sites", "create_site", body=models.SiteGiven(name="Home"))
    change = models.ChargePointChange(site_id=site.id, max_power_w=11_000)
    row = ask("charge_points", "change_charge_point", "CP1", body=change)
    assert (row.site, row.max_power_w, row.online) == ("Home", 11_000, True)
    found = ask("transactions", "list_transactions", charge_point="CP1")
    assert [(item.id, item.energy_wh) for item in found.items] == [(transaction, "1000.000")]
    assert found.items[0].started_at.isoformat() == "2026-11-22T12:00:00+00:00"
    series = ask("transactions", "get_samples_of_transaction", transaction).series
    assert series[0].values == ["2000"]
    wrong = ask("transactions", "get_transaction", 10**9)
    assert (wrong.status, wrong.title) == (404, "Not Found")
    tag = ask("id_tags", "create_id_tag", body=models.IdTagGiven(id_tag="CARD"))
    assert ask("id_tags", "block_id_tag", tag.id).status == "Blocked"
    client.get_httpx_client().close()
