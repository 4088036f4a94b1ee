"""Which function answers which message of OCPP 1.6 and its security whitepaper."""

from collections.abc import Mapping

from levity.ocpp.request import GetResponse
from levity.ocpp.v16.actions.authorize import authorize
from levity.ocpp.v16.actions.boot_notification import boot_notification
from levity.ocpp.v16.actions.data_transfer import data_transfer
from levity.ocpp.v16.actions.diagnostics_status_notification import diagnostics_status_notification
from levity.ocpp.v16.actions.firmware_status_notification import firmware_status_notification
from levity.ocpp.v16.actions.heartbeat import heartbeat
from levity.ocpp.v16.actions.log_status_notification import log_status_notification
from levity.ocpp.v16.actions.meter_values import meter_values
from levity.ocpp.v16.actions.security_event_notification import security_event_notification
from levity.ocpp.v16.actions.sign_certificate import sign_certificate
from levity.ocpp.v16.actions.signed_firmware_status_notification import (
    signed_firmware_status_notification,
)
from levity.ocpp.v16.actions.start_transaction import start_transaction
from levity.ocpp.v16.actions.status_notification import status_notification
from levity.ocpp.v16.actions.stop_transaction import stop_transaction

__all__ = ["ROUTES"]

ROUTES: Mapping[str, GetResponse] = {
    "Authorize": authorize,
    "BootNotification": boot_notification,
    "DataTransfer": data_transfer,
    "DiagnosticsStatusNotification": diagnostics_status_notification,
    "FirmwareStatusNotification": firmware_status_notification,
    "Heartbeat": heartbeat,
    "MeterValues": meter_values,
    "StartTransaction": start_transaction,
    "StatusNotification": status_notification,
    "StopTransaction": stop_transaction,
    "LogStatusNotification": log_status_notification,
    "SecurityEventNotification": security_event_notification,
    "SignCertificate": sign_certificate,
    "SignedFirmwareStatusNotification": signed_firmware_status_notification,
}
