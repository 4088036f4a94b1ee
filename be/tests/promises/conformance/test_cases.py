"""The certification cases in which the central system only answers: wire and books.

Each test is named by the id of its case in docs/evidence/conformance.md. TC_085 to TC_087
(passwords and certificates at the handshake) are in `test_security_cases.py`.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ocpp.v16 import call
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from levity.ocpp.models import ChargePoint, ConnectionEvent, Connector, IdTag, Message
from tests.kept import Samples
from tests.promises.conformance.cases import (
    Case,
    Said,
    ago,
    authorize,
    boot,
    measure,
    start,
    status,
    stop,
    titles,
)
from tests.promises.conformance.conftest import case_id
from tests.system.chargers import IndependentCharger
from tests.system.site import Site

ACCEPTED = {"status": "Accepted"}
LEDGER = (
    "state",
    "id_tag",
    "connector",
    "meter_start",
    "meter_stop",
    "energy",
    "stop_reason",
    "flags",
)
SECURITY = {"TC_085_CSMS", "TC_086_CSMS", "TC_087_CSMS"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_every_case_is_here_but_those_of_security() -> None:
    here = {case_id(name) for name in globals() if name.startswith("test_tc_")}
    assert here == set(titles()) - SECURITY


def test_tc_001_csms__cold_boot(site: Site) -> None:
    case = Case(site, "TC-001")

    async def script(charger: IndependentCharger) -> Said:
        said = await charger.call(
            call.BootNotification("Model S1", "Independent", firmware_version="1.2")
        )
        for number in range(3):
            await status(charger, "Available", number)
        beat = await charger.call(call.Heartbeat())
        return {
            "boot": (said.status, said.interval),
            "clocks": [
                abs(datetime.now(UTC) - moment(time)) < timedelta(minutes=1)
                for time in (said.current_time, beat.current_time)
            ],
        }

    assert case.play(script) == {"boot": ("Accepted", 300), "clocks": [True, True]}
    assert site.books.row(
        ChargePoint, "vendor", "model", "firmware_version", "registration", identity=case.identity
    ) == {
        "vendor": "Independent",
        "model": "Model S1",
        "firmware_version": "1.2",
        "registration": "Accepted",
    }
    assert case.statuses() == dict.fromkeys(range(3), "Available")
    assert case.messages() == ["BootNotification", *["StatusNotification"] * 3, "Heartbeat"]
    assert case.is_clean()


def test_tc_003_csms__plug_in_first(site: Site) -> None:
    case = Case(site, "TC-003")
    case.tag("TC003")
    began, sampled, ended = ago(3), ago(2), ago(1)

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        await status(charger, "Preparing")
        authorized = await authorize(charger, "TC003")
        transaction_id, started = await start(charger, "TC003", began)
        await status(charger, "Charging")
        await measure(charger, transaction_id, sampled, 1400)
        stopped = await stop(charger, transaction_id, ended, 2500, id_tag="TC003", reason="Local")
        await status(charger, "Finishing")
        await status(charger, "Available")
        return {"id": transaction_id, "infos": [authorized, started, stopped]}

    said = case.play(script)
    assert said["infos"] == [ACCEPTED] * 3
    assert case.transactions("id", "started_at", "stopped_at", *LEDGER) == [
        (
            *(said["id"], moment(began), moment(ended), "stopped", "TC003", 1),
            *(Decimal(1000), Decimal(2500), Decimal(1500), "Local", ""),
        )
    ]
    assert site.books.rows(Samples, "transaction", "sampled_at", "value", **case.mine) == [
        (said["id"], moment(sampled), Decimal(1400))
    ]
    assert case.statuses() == {0: "Available", 1: "Available"}
    assert case.messages() == [
        *("BootNotification", "StatusNotification", "StatusNotification", "StatusNotification"),
        *("Authorize", "StartTransaction", "StatusNotification", "MeterValues", "StopTransaction"),
        *("StatusNotification", "StatusNotification"),
    ]
    assert case.is_clean()


def test_tc_004_1_csms__identification_first(site: Site) -> None:
    case = Case(site, "TC-004-1")
    case.tag("TC0041")

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        authorized = await authorize(charger, "TC0041")
        await status(charger, "Preparing")
        transaction_id, started = await start(charger, "TC0041", ago(1))
        await status(charger, "Charging")
        return {"id": transaction_id, "infos": [authorized, started]}

    said = case.play(script)
    assert said["infos"] == [ACCEPTED] * 2
    assert case.transactions("id", "state", "id_tag") == [(said["id"], "active", "TC0041")]
    running = site.books.rows(Connector, "number", "status", "transaction", **case.mine)
    assert running == [(0, "Available", None), (1, "Charging", said["id"])]
    assert case.is_clean()


def test_tc_004_2_csms__nobody_plugs_in(site: Site) -> None:
    case = Case(site, "TC-004-2")
    case.tag("TC0042")

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        authorized = await authorize(charger, "TC0042")
        await status(charger, "Preparing")
        # ConnectionTimeOut passes.
        await status(charger, "Available")
        return authorized

    assert case.play(script) == ACCEPTED
    assert case.transactions("id") == []
    assert case.statuses() == {0: "Available", 1: "Available"}
    assert case.is_clean()


def test_tc_005_1_csms__cable_pulled_at_the_car(site: Site) -> None:
    case = Case(site, "TC-005-1")
    case.tag("TC0051")

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        await authorize(charger, "TC0051")
        transaction_id, _ = await start(charger, "TC0051", ago(3))
        await status(charger, "Charging")
        await status(charger, "SuspendedEV")
        stopped = await stop(charger, transaction_id, ago(1), 1800, reason="EVDisconnected")
        await status(charger, "Finishing")
        await status(charger, "Available")
        return {"stopped": stopped}

    assert case.play(script) == {"stopped": None}
    assert case.transactions(*LEDGER) == [
        (
            *("stopped", "TC0051", 1, Decimal(1000), Decimal(1800), Decimal(800)),
            *("EVDisconnected", ""),
        )
    ]
    assert case.statuses() == {0: "Available", 1: "Available"}
    assert case.is_clean()


def test_tc_007_csms__cached_id(site: Site) -> None:
    """The charger asks nobody; the central system tells what it knows of the tag all the same."""
    case = Case(site, "TC-007")
    expires = datetime(2036, 1, 2, 3, 4, 5, tzinfo=UTC)
    case.tag("GROUP007")
    with site.books.open(IdTag) as tags:
        parent = tags.get(id_tag="GROUP007").pk
    case.tag("TC007", expires_at=expires, parent_id=parent)

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        await status(charger, "Preparing")
        _, info = await start(charger, "TC007", ago(1))
        await status(charger, "Charging")
        return info

    info = case.play(script)
    assert (info["status"], info["parent_id_tag"], moment(info["expiry_date"])) == (
        "Accepted",
        "GROUP007",
        expires,
    )
    assert case.transactions("state", "id_tag", "flags") == [("active", "TC007", "")]
    assert "Authorize" not in case.messages()
    assert case.is_clean()


def refused_tag(site: Site, number: int, verdict: str) -> None:
    """A tag is refused, no session begins, and nothing of one is on the books."""
    case = Case(site, f"TC-023-{number}")

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        await status(charger, "Preparing")
        info = await authorize(charger, f"TC023{number}")
        await status(charger, "Available")
        return {"status": info["status"]}

    assert case.play(script) == {"status": verdict}
    assert case.transactions("id") == []
    assert [item for item in case.messages() if "!" in item] == []
    assert case.is_clean()


def test_tc_023_1_csms__authorize_invalid(site: Site) -> None:
    refused_tag(site, 1, "Invalid")
    assert site.books.count(IdTag, id_tag="TC0231") == 0


def test_tc_023_2_csms__authorize_expired(site: Site) -> None:
    with site.books.open(IdTag) as tags:
        tags.create(id_tag="TC0232", expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    refused_tag(site, 2, "Expired")


def test_tc_023_3_csms__authorize_blocked(site: Site) -> None:
    with site.books.open(IdTag) as tags:
        tags.create(id_tag="TC0233", status="Blocked")
    refused_tag(site, 3, "Blocked")


def test_tc_024_csms__lock_failure(site: Site) -> None:
    case = Case(site, "TC-024")
    case.tag("TC024")

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        authorized = await authorize(charger, "TC024")
        await status(charger, "Preparing")
        await status(charger, "Faulted", error="ConnectorLockFailure")
        return authorized

    assert case.play(script) == ACCEPTED
    assert case.transactions("id") == []
    assert site.books.row(Connector, "status", "error_code", number=1, **case.mine) == {
        "status": "Faulted",
        "error_code": "ConnectorLockFailure",
    }
    assert case.is_clean()


def test_tc_032_1_csms__power_failure_ends_the_session(site: Site) -> None:
    case = Case(site, "TC-032-1")
    case.tag("TC0321")
    ended = ago(1)

    async def before(charger: IndependentCharger) -> Said:
        await boot(charger)
        transaction_id, _ = await start(charger, "TC0321", ago(5))
        await status(charger, "Charging")
        await measure(charger, transaction_id, ago(3), 1300)
        charger.socket.transport.abort()
        return {"id": transaction_id}

    transaction_id = case.play(before)["id"]

    async def after(charger: IndependentCharger) -> Said:
        said = await boot(charger)
        stopped = await stop(charger, transaction_id, ended, 1350, reason="PowerLoss")
        return {"boot": said, "stopped": stopped}

    assert case.play(after) == {"boot": "Accepted", "stopped": None}
    assert case.transactions("id", "stopped_at", *LEDGER) == [
        (
            *(transaction_id, moment(ended), "stopped", "TC0321", 1, Decimal(1000), Decimal(1350)),
            *(Decimal(350), "PowerLoss", "late-stop"),
        )
    ]
    assert case.statuses() == {0: "Available", 1: "Available"}
    kinds = site.books.rows(ConnectionEvent, "kind", "code", **case.mine)
    assert kinds[:3] == [("connected", None), ("disconnected", 1006), ("connected", None)]
    assert case.is_clean()


def test_tc_037_1_csms__started_offline(site: Site) -> None:
    case = Case(site, "TC-037-1")
    case.tag("TC0371")
    began = ago(30)

    async def online(charger: IndependentCharger) -> Said:
        return {"boot": await boot(charger)}

    case.play(online)

    async def back(charger: IndependentCharger) -> Said:
        transaction_id, info = await start(charger, "TC0371", began)
        await status(charger, "Charging")
        return {"id": transaction_id, "info": info}

    said = case.play(back)
    assert said["info"] == ACCEPTED
    assert case.transactions("id", "state", "started_at", "flags") == [
        (said["id"], "active", moment(began), "")
    ]
    running = site.books.rows(Connector, "status", "transaction", number=1, **case.mine)
    assert running == [("Charging", said["id"])]
    assert case.is_clean()


def test_tc_037_3_csms__started_offline_with_an_invalid_tag(site: Site) -> None:
    """4.8: it has happened, so it is on the books; the charger ends it when it is told."""
    case = Case(site, "TC-037-3")
    began, ended = ago(30), ago(0)

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        transaction_id, info = await start(charger, "TC0373", began)
        await stop(charger, transaction_id, ended, 1200, reason="DeAuthorized")
        await status(charger, "Finishing")
        return {"positive": transaction_id > 0, "info": info}

    assert case.play(script) == {"positive": True, "info": {"status": "Invalid"}}
    assert case.transactions("started_at", "stopped_at", *LEDGER) == [
        (
            *(moment(began), moment(ended), "stopped", "TC0373", 1, Decimal(1000), Decimal(1200)),
            *(Decimal(200), "DeAuthorized", "id-tag-invalid"),
        )
    ]
    assert case.is_clean()


def test_tc_039_csms__whole_session_offline(site: Site) -> None:
    case = Case(site, "TC-039")
    case.tag("TC039")
    began, ended = ago(180), ago(60)

    async def online(charger: IndependentCharger) -> Said:
        return {"boot": await boot(charger)}

    case.play(online)

    async def back(charger: IndependentCharger) -> Said:
        transaction_id, started = await start(charger, "TC039", began, meter=5000)
        stopped = await stop(charger, transaction_id, ended, 12_345, id_tag="TC039", reason="Local")
        await status(charger, "Available")
        return {"infos": [started, stopped]}

    assert case.play(back) == {"infos": [ACCEPTED] * 2}
    assert case.transactions("started_at", "stopped_at", *LEDGER) == [
        (
            *(moment(began), moment(ended), "stopped", "TC039", 1, Decimal(5000), Decimal(12_345)),
            *(Decimal(7345), "Local", ""),
        )
    ]
    assert site.books.rows(Connector, "status", "transaction", number=1, **case.mine) == [
        ("Available", None)
    ]
    assert case.is_clean()


def test_tc_064_csms__data_transfer(site: Site) -> None:
    case = Case(site, "TC-064")

    async def script(charger: IndependentCharger) -> Said:
        await boot(charger)
        said = await charger.call(call.DataTransfer("org.example", message_id="M1", data="D1"))
        return {"status": said.status}

    assert case.play(script) == {"status": "UnknownVendorId"}
    [(request,)] = site.books.rows(Message, "request", action="DataTransfer", **case.mine)
    assert '{"vendorId":"org.example","messageId":"M1","data":"D1"}' in request.replace(" ", "")
    assert case.is_clean()


def test_tc_088_csms__subprotocol(site: Site) -> None:
    """The best that both know, whatever else is offered; nothing in common is refused."""
    case = Case(site, "TC-088")

    async def offer(*names: str) -> str | None:
        try:
            async with connect(
                f"{site.url()}/{case.identity}", subprotocols=list(names), proxy=None
            ) as socket:
                return socket.subprotocol
        except InvalidStatus as refused:
            return f"HTTP {refused.response.status_code}"

    async def play() -> list[str | None]:
        return [
            await offer("ocpp1.6"),
            await offer("ocpp2.0.1", "ocpp1.6", "ocpp1.5"),
            await offer("ocpp1.5"),
        ]

    assert asyncio.run(play()) == ["ocpp1.6", "ocpp1.6", "HTTP 400"]
    assert case.is_clean()
    opened = site.books.rows(ConnectionEvent, "subprotocol", kind="connected", **case.mine)
    assert opened == [("ocpp1.6",)] * 2
