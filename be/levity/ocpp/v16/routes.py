"""Which function answers which message of OCPP 1.6 and its security whitepaper, and which one says
what the answer to a Call of ours means."""

from collections.abc import Mapping

from levity.ocpp.request import GetEffects, GetResponse
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
from levity.ocpp.v16.results.cancel_reservation import cancel_reservation
from levity.ocpp.v16.results.certificate_signed import certificate_signed
from levity.ocpp.v16.results.change_configuration import change_configuration
from levity.ocpp.v16.results.clear_charging_profile import clear_charging_profile
from levity.ocpp.v16.results.get_configuration import get_configuration
from levity.ocpp.v16.results.get_diagnostics import get_diagnostics
from levity.ocpp.v16.results.get_local_list_version import get_local_list_version
from levity.ocpp.v16.results.get_log import get_log
from levity.ocpp.v16.results.installed_certificates import (
    delete_certificate,
    get_installed_certificate_ids,
    install_certificate,
)
from levity.ocpp.v16.results.remote_start_transaction import remote_start_transaction
from levity.ocpp.v16.results.reserve_now import reserve_now
from levity.ocpp.v16.results.send_local_list import send_local_list
from levity.ocpp.v16.results.set_charging_profile import set_charging_profile
from levity.ocpp.v16.results.signed_update_firmware import signed_update_firmware
from levity.ocpp.v16.results.update_firmware import update_firmware

__all__ = ["RESULTS", "ROUTES"]

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

RESULTS: Mapping[str, GetEffects] = {
    "CancelReservation": cancel_reservation,
    "CertificateSigned": certificate_signed,
    "ChangeConfiguration": change_configuration,
    "GetConfiguration": get_configuration,
    "GetDiagnostics": get_diagnostics,
    "GetLog": get_log,
    "ClearChargingProfile": clear_charging_profile,
    "DeleteCertificate": delete_certificate,
    "GetInstalledCertificateIds": get_installed_certificate_ids,
    "GetLocalListVersion": get_local_list_version,
    "InstallCertificate": install_certificate,
    "RemoteStartTransaction": remote_start_transaction,
    "SignedUpdateFirmware": signed_update_firmware,
    "UpdateFirmware": update_firmware,
    "ReserveNow": reserve_now,
    "SendLocalList": send_local_list,
    "SetChargingProfile": set_charging_profile,
}
"""By our Call. The answers to the others mean nothing but that they were answered."""
