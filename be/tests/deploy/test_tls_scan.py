"""A scan by somebody else's tool, sslyze (CHECKS.md S-09)."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.front import Backends, Front
from tests.deploy.test_tls import SUITES
from tests.system.processes import CHECKOUT

pytestmark = [pytest.mark.deploy, pytest.mark.slow, pytest.mark.nginx]

# IANA's names, which sslyze uses, of what OpenSSL calls otherwise.
IANA = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "AES128-GCM-SHA256": "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "AES256-GCM-SHA384": "TLS_RSA_WITH_AES_256_GCM_SHA384",
}


def scanned(site: Front, folder: Path) -> dict[str, Any]:
    report = folder / "sslyze.json"
    program = CHECKOUT / ".deploy/bin/sslyze"
    assert program.exists(), "no sslyze: make check-deploy installs it"
    done = subprocess.run(
        [
            *(program, "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3"),
            *("--compression", "--heartbleed", "--openssl_ccs", "--robot", "--reneg", "--fallback"),
            *("--certinfo", f"--json_out={report}", f"127.0.0.1:{site.https}"),
        ],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    result = json.loads(report.read_text())["server_scan_results"][0]
    assert result["connectivity_status"] == "COMPLETED", result
    return {name: each["result"] for name, each in result["scan_result"].items() if each}


def test_a_scan_finds_nothing_old_and_nothing_broken(
    tls_site: tuple[Front, Backends], tmp_path: Path
) -> None:
    """S-09: 1.2 and 1.3 only, no compression, no known attack, all four suites, both kinds."""
    found = scanned(tls_site[0], tmp_path)

    def accepted(version: str) -> set[str]:
        suites = found[f"{version}_cipher_suites"]["accepted_cipher_suites"]
        return {each["cipher_suite"]["name"] for each in suites}

    for old in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        assert accepted(old) == set()
    assert len(accepted("tls_1_3")) == 3
    assert set(map(IANA.get, SUITES)) <= accepted("tls_1_2")
    assert all("_GCM_" in name or "CHACHA20" in name for name in accepted("tls_1_2"))
    assert found["tls_compression"]["supports_compression"] is False
    assert found["heartbleed"]["is_vulnerable_to_heartbleed"] is False
    assert found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"] is False
    assert found["robot"]["robot_result"].startswith("NOT_VULNERABLE")
    assert found["session_renegotiation"]["is_vulnerable_to_client_renegotiation_dos"] is False
    kinds = {
        deployment["received_certificate_chain"][0]["public_key"]["algorithm"]
        for deployment in found["certificate_info"]["certificate_deployments"]
    }
    assert len(kinds) == 2, kinds
