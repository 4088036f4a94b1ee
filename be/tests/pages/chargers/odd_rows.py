"""A site full of odd rows: what hostile or broken chargers, and careless people, leave behind."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Model
from django.utils import timezone

from levity.ocpp.models import (
    AuditEntry,
    CertificateAuthority,
    ChargePoint,
    ChargePointCertificate,
    Command,
    ConfigurationChange,
    ConfigurationKey,
    ConfigurationTemplate,
    ConnectionEvent,
    Connector,
    Edge,
    FailedMessage,
    FileJob,
    IdTag,
    InstalledCertificate,
    InstalledProfile,
    LocalList,
    MassCommand,
    Message,
    MeterKey,
    MeterValueCorrection,
    MissedChange,
    QuarantinedMessage,
    RefusedHandshake,
    Reservation,
    SecurityEvent,
    Site,
    StatusEvent,
    Transaction,
    UnassignedEnergy,
)
from levity.ocpp.store.samples.elements import key_of
from tests.kept import keep
from tests.pages.whole.rows import row_of

# Of these a row with the text in every column is odd enough.
BY_COLUMNS: tuple[type[Model], ...] = (
    ConfigurationChange,
    ConfigurationKey,
    ConfigurationTemplate,
    FileJob,
    InstalledCertificate,
    InstalledProfile,
    LocalList,
    MassCommand,
    MeterKey,
    Reservation,
)

__all__ = ["EPOCH", "HOSTILE", "fill", "hostile_texts"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARK = "xss7"
HOSTILE = f"\"><script>{MARK}</script><img src=x onerror={MARK}>'{{{{7*7}}}}&amp;\u202e"
# The most that the pipeline takes.
HUGE = Decimal("999999999999.999")


def hostile_texts(limit: int) -> str:
    """As much of the hostile text as a column takes."""
    return HOSTILE[:limit]


def charge_point(identity: str, **values: object) -> ChargePoint:
    return ChargePoint.objects.create(identity=identity, **values)


def fill(count: int = 1, text: str = HOSTILE, first: int = 0) -> ChargePoint:
    """`count` odd rows of every model, around one charge point each; the last one is returned."""
    now = timezone.now()
    site = Site.objects.create(name=text[:100], notes=text)
    CertificateAuthority.objects.create(
        organization=text[:64],
        certificate=text,
        fingerprint=f"{first}{text}"[:64],
        not_before=EPOCH,
        not_after=EPOCH,
    )
    edge = Edge.objects.create(id=text[:100] or "e", reply_to=text, last_seen_at=EPOCH)
    for number in range(first, first + count):
        # Identities that have to be escaped in addresses, and one that is markup.
        identity = (f"{number} a%20|b:c", f"{number}{text[:40]}")[number % 2]
        charger = charge_point(
            identity,
            name=text[:100] if number % 2 else "",
            site=site,
            notes=text,
            vendor=text,
            model=text,
            serial_number=text,
            charge_box_serial_number=text,
            firmware_version=text,
            iccid=text,
            imsi=text,
            meter_type=text,
            meter_serial_number=text,
            firmware_status=text[:64],
            diagnostics_status=text[:64],
            quirk_profile=text[:64],
            connection=uuid.uuid4(),
            edge=edge,
            connected_at=EPOCH,
            last_seen_at=now + timedelta(days=9000),
            remote_address=text[:64],
        )
        transaction = Transaction.objects.create(
            charge_point=charger,
            connector=2**31 - 1,
            id_tag=text,
            started_at=EPOCH,
            start_received_at=now,
            meter_start=-HUGE,
            stopped_at=EPOCH - timedelta(seconds=1),
            meter_stop=HUGE,
            stop_reason=text[:64],
            stop_id_tag=text,
            energy=HUGE,
            power=-HUGE,
            meter_last=HUGE,
            meter_last_at=EPOCH,
            flags=text,
            energy_source=text[:32],
            confidence="high",
            reservation_id=2**53,
        )
        running = Transaction.objects.create(
            charge_point=charger, connector=1, started_at=now, meter_start=0, power=7360
        )
        Connector.objects.create(
            charge_point=charger,
            number=1,
            status=text[:64],
            error_code=text[:64],
            info=text,
            vendor_id=text,
            vendor_error_code=text,
            status_since=EPOCH,
            transaction=running,
        )
        Connector.objects.create(charge_point=charger, number=2**31 - 1)
        Connector.objects.create(charge_point=charger, number=0, status="Faulted")
        UnassignedEnergy.objects.create(
            charge_point=charger,
            connector=1,
            month="2026-11",
            wh=HUGE,
            stretches=1,
            last_at=EPOCH,
            renewed_at=now,
        )
        said = [
            {
                "measurand": measurand,
                "phase": phase,
                "context": text[:64],
                "unit": text[:32],
                "raw_value": text,
                "value": value,
            }
            for measurand, phase, value in (
                ("Power.Active.Import", "", Decimal(-5)),
                ("Power.Active.Import", "L1", Decimal(2**53)),
                ("Energy.Active.Import.Register", text[:16], Decimal(99999999999999999)),
                (text[:64], text[:16], None),
            )
        ]
        rows = [
            keep(
                charger,
                EPOCH + timedelta(minutes=minute),
                *said,
                received_at=now,
                transaction=transaction,
            )
            for minute in range(3)
        ]
        MeterValueCorrection.objects.create(
            run=uuid.uuid4(),
            transaction=transaction,
            sample=key_of(rows[0].pk, 0),
            charge_point=charger,
            sampled_at=EPOCH,
            field=text[:32],
            old_value=None,
            new_value=Decimal("1E+17"),
            reason=text,
        )
        known: dict[type[Model], Model] = {
            Site: site,
            ChargePoint: charger,
            Transaction: transaction,
        }
        for model in BY_COLUMNS:
            row_of(model, text, number, known, {})
        _log(charger, number, text, now)
        _trouble(charger, number, text)
        _decided(charger, text)
        Command.objects.create(
            charge_point=charger,
            action=text[:64],
            payload={"text": text},
            state=(Command.State.QUEUED, Command.State.REFUSED)[number % 2],
            source=text[:100],
            sent_at=EPOCH,
            finished_at=now,
            result={"status": text, "big": 2**60},
            result_status=text[:64],
            error_code=text[:64],
            error_description=text,
            only_status=text[:64],
        )
        parent = IdTag.objects.create(id_tag=f"{number}{text}", owner=text[:200], notes=text)
        IdTag.objects.create(id_tag=f"child {number}", parent=parent, expires_at=EPOCH)
    return charger


def _decided(charger: ChargePoint, text: str) -> None:
    AuditEntry.objects.create(
        who_name=text[:150],
        kind=("ocpp.chargepoint", text[:100])[charger.pk % 2],
        object_id=str(charger.pk) if charger.pk % 2 else text[:64],
        object_name=text[:200],
        what=text[:255],
        before={text: text},
        after={text: [text], "big": 2**60},
    )
    session = {"id": 2**31 - 1, "id_tag": text}
    MissedChange.objects.create(
        receiver=text[:255], changes=[[None, session], text, [text]], traceback=text
    )


def _log(charger: ChargePoint, number: int, text: str, now: datetime) -> None:
    frames = (
        f'[2,"1","DataTransfer",{{"vendorId":"{text}"}}]',
        '[2,"1","DataTransfer",{"data":"<script>xss7</script>\\ud800","n":1e999,"m":NaN}]',
        "[" * 3000,
        f"[2,{'9' * 5000}]",
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cr3t-key"}]',
        '{"key":"AuthorizationKey","value":"s3cr3t-key"',
        "",
    )
    for index, frame in enumerate(frames):
        Message.objects.create(
            charge_point=charger,
            connection=uuid.uuid4(),
            seq=2**53,
            sender=("cp", "cs")[index % 2],
            unique_id=text[:64],
            action=text[:64],
            transaction=(None, 2**31 - 1)[index % 2],
            request=frame,
            response=text if index % 2 else "",
            error_code=text[:64] if index % 2 else "",
            error_description=text,
            received_at=EPOCH,
            answered_at=now,
        )
    ConnectionEvent.objects.create(
        charge_point=charger if number % 2 else None,
        identity=text[:48],
        connection=uuid.uuid4(),
        kind=ConnectionEvent.Kind.REFUSED,
        at=now,
        edge=text[:100],
        remote_address=text[:64],
        user_agent=text,
        subprotocol=text,
        code=2**31 - 1,
        reason=text,
    )
    StatusEvent.objects.create(
        charge_point=charger,
        connector=2**31 - 1,
        status=text[:64],
        error_code=text[:64],
        info=text,
        vendor_error_code=text,
        reported_at=EPOCH,
        received_at=now,
    )


def _trouble(charger: ChargePoint, number: int, text: str) -> None:
    QuarantinedMessage.objects.create(
        charge_point=charger,
        action=text[:64],
        unique_id=text[:64],
        payload=text,
        payload_hash=str(number),
        reason=text,
        transaction=2**31 - 1,
        received_at=EPOCH,
    )
    FailedMessage.objects.create(
        charge_point=charger if number % 2 else None,
        identity=text[:48],
        connection=uuid.uuid4(),
        seq=number,
        action=text[:64],
        text=text,
        received_at=EPOCH,
        traceback=f"Traceback: {text}",
    )
    SecurityEvent.objects.create(
        charge_point=charger if number % 2 else None, type=text[:64], detail=text, at=EPOCH
    )
    ChargePointCertificate.objects.create(
        charge_point=charger if number % 2 else None,
        identity=text[:48],
        state=("installed", "waiting")[number % 2],
        detail=text[:255],
        csr=text,
        key_kind=text[:32],
        key_fingerprint=text[:64],
        requested_at=EPOCH,
        serial_number=f"{number}{text[:30]}",
        subject=text[:255],
        not_after=EPOCH,
        fingerprint=text[:64],
        certificate=text,
        revocation_reason=text[:24],
    )
    RefusedHandshake.objects.create(
        identity=text[:48],
        address=text[:60] + str(number),
        reason=("unknown", text[:32])[number % 2],
        status=401,
        last_at=EPOCH,
        detail=text[:255],
        path=text[:255],
        user_agent=text[:255],
        subprotocols=text[:255],
        edge=text[:100],
    )
