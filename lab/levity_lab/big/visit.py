"""`python -m levity_lab.big.visit [WORD ...]`: how long the pages of the database take that
`levity_lab.big.fill` made; with words only pages whose address has one of them.

*Warm*: the same page again and again in one process. *Cold*: each time in a process that has shown
no page but the login, with a database connection of its own, and on SQLite with the file thrown
out of the machine's cache. CPU is that of this process (which on SQLite is the database's, too),
plus on Postgres that of the connection's backend. Milliseconds, the 95th percentile.
"""

import gc
import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from typing import Any

import django

__all__ = ["main"]

WARM = int(os.environ.get("LEVITY_BIG_WARM") or 20)
COLD = int(os.environ.get("LEVITY_BIG_COLD") or 8)
LIMIT = 300

SINGLE = (
    "/admin/?",
    "/admin/?part=plots",
    "/admin/?wall=1",
    "/admin/search/?s=big00042",
    "/admin/search/?s=year-00042",
    "/admin/ocpp/chargepoint/?online=no&status=Charging",
    "/admin/ocpp/chargepoint/?q=year-00",
    "/admin/ocpp/chargepoint/{charger}/change/",
    "/admin/ocpp/chargepoint/{charger}/change/?tab=details",
    "/admin/ocpp/chargepoint/{charger}/security/",
    "/admin/ocpp/configurationkey/charger/{charger}/",
    "/admin/ocpp/configurationkey/drift/",
    "/admin/ocpp/configurationkey/compare/",
    "/admin/ocpp/chargepoint/tags/",
    "/admin/ocpp/connector/{connector}/change/",
    "/admin/ocpp/connector/{connector}/change/?period=30",
    "/admin/ocpp/connector/{connector}/chain/",
    "/admin/ocpp/site/{site}/change/",
    "/admin/ocpp/transaction/?p=2",
    "/admin/ocpp/transaction/?p=500",
    "/admin/ocpp/transaction/?charge_point__id__exact={charger}",
    "/admin/ocpp/transaction/?state__exact=active",
    "/admin/ocpp/transaction/?class=look",
    "/admin/ocpp/transaction/?payer=unknown",
    "/admin/ocpp/transaction/?q=big00042",
    "/admin/ocpp/transaction/?q=nowhere",
    "/admin/ocpp/transaction/?started_at_from={first}&started_at_to={last}",
    "/admin/ocpp/transaction/{old}/change/",
    "/admin/ocpp/transaction/{new}/change/",
    "/admin/ocpp/message/?p=5",
    "/admin/ocpp/message/?charge_point__id__exact={charger}",
    "/admin/ocpp/message/?action=Heartbeat",
    "/admin/ocpp/message/?action=ClearCache",
    "/admin/ocpp/message/?error=yes",
    "/admin/ocpp/message/?q=nowhere",
    "/admin/ocpp/message/?q=77",
    "/admin/ocpp/metervalue/?charge_point__id__exact={charger}",
    "/admin/ocpp/statusevent/?charge_point__id__exact={charger}",
    "/admin/ocpp/idtag/?q=big0004",
    "/admin/ocpp/idtag/{tag}/change/",
    "/admin/autocomplete/?app_label=ocpp&model_name=command&field_name=charge_point&term=00042",
    *(
        f"/admin/billing/sessionprice/reports/?report={name}&first={{{first}}}&last={{last}}"
        for name in ("charger", "resident", "tag", "month", "availability")
        for first in ("first", "year")
    ),
    "/admin/billing/sessionprice/?state__exact=waits",
    "/admin/billing/sessionprice/?state__exact=priced",
    "/admin/billing/sessionprice/?household__id__exact={home}",
    "/admin/billing/sessionprice/?q=big00042",
    "/admin/billing/sessionprice/{old}/change/",
    "/admin/billing/household/energy/",
    "/admin/billing/household/energy/?day={last}",
    "/admin/billing/household/?q=home 04",
    "/admin/billing/household/{home}/change/",
    "/admin/billing/household/{home}/change/?tab=details",
    "/admin/billing/tariff/{flat}/change/",
    "/admin/billing/tariff/{flat}/replay/",
    "/admin/billing/tariff/{flat}/replay/month/?month={first}",
    "/admin/billing/tariff/{night}/replay/month/?month={first}",
    "/admin/billing/statementrun/check/",
    "/admin/billing/statementrun/check/?issuer={issuer}&first={first}&last={last}",
    "/admin/billing/statementrun/{run}/change/",
    "/admin/billing/statement/?run__id__exact={run}",
    "/admin/billing/statement/{statement}/change/",
)
"""Beside the list of each model."""


def main(*words: str) -> None:
    """Visit them and print the table."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    django.setup()
    logging.disable(logging.CRITICAL)
    addresses = [path for path in _addresses() if not words or any(each in path for each in words)]
    _client().get("/admin/login/")
    rows = []
    for path in addresses:
        row = {"page": path, **_cold(path), **_warm(path)}
        rows.append(row)
        sys.stdout.write(_line(row))
        sys.stdout.flush()
    over = [row for row in rows if max(row["warm CPU"], row["cold CPU"]) > LIMIT]
    sys.stdout.write(f"\n{len(rows)} pages, {len(over)} over {LIMIT} ms of CPU\n")
    sys.stdout.writelines(_line(row) for row in over)
    if where := os.environ.get("LEVITY_BIG_JSON"):
        Path(where).write_text(json.dumps(rows, indent=1))


def _line(row: dict[str, Any]) -> str:
    figures = "".join(
        f"{row[f'{when} {what}']:7.0f}" for when in ("warm", "cold") for what in ("CPU", "wall")
    )
    mark = "" if row["status"] == 200 else f"  ({row['status']})"
    return f"{figures} {row['queries']:4d}  {row['page']}{mark}\n"


def _addresses() -> list[str]:
    from django.urls import reverse

    from levity.pages.site import site

    lists = [
        reverse(f"levity:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in site._registry  # noqa: SLF001  # it has no other list of them
    ]
    keys = _keys()
    single = []
    for page in SINGLE:
        try:
            single.append(page.format(**keys))
        except KeyError as missing:
            sys.stderr.write(f"{page}: there is no {missing} here\n")
    _close()
    return sorted([*lists, *single])


def _keys() -> dict[str, Any]:
    from django.utils import timezone

    from levity.billing.models import Household, Issuer, Statement, StatementRun, Tariff
    from levity.ocpp.models import ChargePoint, Connector, IdTag, Site, Transaction

    charger = list(ChargePoint.objects.filter(retired_at=None).order_by("pk")[:42])[-1]
    last = timezone.localdate().replace(day=1) - timedelta(days=1)
    rows = {
        "charger": charger,
        "connector": Connector.objects.filter(charge_point=charger, number=1).first(),
        "site": Site.objects.first(),
        "old": Transaction.objects.order_by("pk").first(),
        "new": Transaction.objects.order_by("-pk").first(),
        "tag": IdTag.objects.order_by("pk").first(),
        "home": Household.objects.order_by("pk").first(),
        "flat": Tariff.objects.filter(name="Flat price").first(),
        "night": Tariff.objects.filter(name="Cheap nights").first(),
        "issuer": Issuer.objects.first(),
        "run": StatementRun.objects.first(),
        "statement": Statement.objects.first(),
    }
    days: dict[str, date] = {
        "first": last.replace(day=1),
        "last": last,
        "year": last - timedelta(days=364),
    }
    return {**{name: row.pk for name, row in rows.items() if row is not None}, **days}


def _client() -> Any:
    from django.test import Client

    return Client(headers={"host": "localhost"})


def _logged_in() -> Any:
    from django.contrib.auth.models import User

    client = _client()
    client.force_login(User.objects.get(username="root"))
    return client


def _close() -> None:
    from django.db import connections

    connections.close_all()


def _once(client: Any, path: str) -> tuple[float, float, int]:
    """(CPU in ms, wall in ms, status)."""
    backend = _backend()
    gc.collect()
    began, spent, of_backend = perf_counter(), process_time(), backend()
    answer = client.get(path)
    _ = answer.content if not answer.streaming else b"".join(answer.streaming_content)
    took = (process_time() - spent + backend() - of_backend) * 1000
    return took, (perf_counter() - began) * 1000, answer.status_code


def _backend() -> Callable[[], float]:
    """Seconds of CPU of the database's process, where it is another and on this machine."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return lambda: 0.0
    connection.ensure_connection()
    told: Any = connection.connection
    path = Path(f"/proc/{told.info.backend_pid}/schedstat")
    return lambda: int(path.read_text().split()[0]) / 1e9 if path.exists() else 0.0


def _warm(path: str) -> dict[str, Any]:
    """In a child process, so that no page warms another."""

    def visits() -> list[tuple[float, float, int]]:
        client = _logged_in()
        queries = _queries(client, path)
        client.get(path)
        return [(*_once(client, path)[:2], queries) for _ in range(WARM)]

    found = _in_child(visits)
    return {
        "warm CPU": _p95([cpu for cpu, _, _ in found]),
        "warm wall": _p95([wall for _, wall, _ in found]),
        "queries": found[0][2],
    }


def _queries(client: Any, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(path)
    with CaptureQueriesContext(connection) as asked:
        client.get(path)
    return len(asked)


def _cold(path: str) -> dict[str, Any]:
    def visit() -> list[tuple[float, float, int]]:
        client = _logged_in()
        _close()
        _drop()
        return [_once(client, path)]

    found = [_in_child(visit)[0] for _ in range(COLD)]
    return {
        "cold CPU": _p95([cpu for cpu, _, _ in found]),
        "cold wall": _p95([wall for _, wall, _ in found]),
        "status": found[0][2],
    }


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def _drop() -> None:
    """Throw the file of the database out of the machine's cache."""
    from django.db import connection

    if connection.vendor == "postgresql":
        return
    database = connection.settings_dict["NAME"]
    for path in (Path(database), Path(f"{database}-wal")):
        if path.exists():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _in_child(what: Callable[[], Any]) -> Any:
    """What this comes to in a process of its own, which starts as this one is."""
    _close()
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        try:
            said = json.dumps(what()).encode()
        except BaseException as error:  # noqa: BLE001  # told to the parent
            said = json.dumps(f"{type(error).__name__}: {error}").encode()
        with os.fdopen(writes, "wb") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as pipe:
        found = json.loads(pipe.read())
    os.waitpid(child, 0)
    if isinstance(found, str):
        raise RuntimeError(found)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
