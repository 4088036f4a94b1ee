"""An independent judge of the schema: every operation with odd and hostile input, alone and one
after the other. `make check-api` gives it five minutes (LEVITY_API_SECONDS), a test run a few
seconds.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from levity.api.kit import auth
from levity.api.throttle import Throttle
from levity.ocpp.models import ChargePoint
from tests.api.conftest import Caller
from tests.api.operations import rows_for_the_api

SECONDS = int(os.environ.get("LEVITY_API_SECONDS", "5"))
JUDGED = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_schema_conformance", "response_headers_conformance", "ignored_auth"),
    *("unsupported_method", "use_after_free"),
)
SITES = 3


@pytest.mark.slow
@pytest.mark.once
def test_schemathesis_finds_no_error_of_the_server_and_no_broken_schema(
    transactional_db: None,
    live_server: Any,
    caller: Callable[..., Caller],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    # No charger is there to answer, and every second of waiting is one without a request.
    settings.OCPP_WAITING_REQUESTS = 0
    monkeypatch.setattr(auth, "THROTTLE", Throttle(0, 1))
    monkeypatch.setattr(auth, "GUESSES", Throttle(0, 1))
    for number in range(SITES):
        rows_for_the_api("x", number)
    assert ChargePoint.objects.count() == SITES
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{live_server.url}/api/v1/openapi.json",
            *("--header", f"Authorization: Bearer {caller('admin').token}"),
            *("--checks", ",".join(JUDGED), "--max-time", str(SECONDS)),
            *("--generation-database", "none", "--no-color", "--warnings", "off"),
            *("--request-timeout", "30", "--seed", os.environ.get("SEED", "20261130")),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS + 300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
