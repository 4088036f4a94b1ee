"""The pages for those who watch the edge."""

import ipaddress

import pytest
from tests.chargers import http_get, raw_charger
from tests.sites import running_site


async def test_metrics_are_prometheus_text() -> None:
    async with running_site() as site, raw_charger(site.port) as charger:
        charger.send("x")
        await charger.text()
        status, body = await http_get(site.port, "/metrics")
        assert status == 200
        lines = body.splitlines()
        for line in (
            "levity_edge_connections 1.0",
            "levity_edge_backend_available 1.0",
            "levity_edge_connections_opened_total 1.0",
            "levity_edge_frames_received_total 1.0",
            "levity_edge_frames_sent_total 1.0",
            "levity_edge_answer_seconds_count 1.0",
            "levity_edge_batches_under_way 0.0",
        ):
            assert line in lines


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
async def test_strangers_see_no_status_pages(path: str) -> None:
    """E-20: nor does anybody who comes through a proxy that is not trusted."""
    proxies = (ipaddress.ip_network("127.0.0.0/8"),)
    stranger = "X-Forwarded-For: 8.8.8.8"
    async with running_site(trusted_proxies=proxies) as site:
        assert (await http_get(site.port, path, stranger))[0] == 404
    async with running_site() as site:
        assert (await http_get(site.port, path, stranger))[0] == 404
        assert (await http_get(site.port, path))[0] == 200
    async with running_site(metrics_public=True) as site:
        assert (await http_get(site.port, path, stranger))[0] == 200
