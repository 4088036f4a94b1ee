"""The words of OCPP 1.6's enumerations, as chargers write them.

Some write `preparing`, `Sample_Clock`, `SuspendedEv` or a blank behind the word. What differs from
a word of the standard in its letters, blanks and signs only means that word; anything else stays
what it is. The message log keeps the text as it was sent.
"""

from collections.abc import Iterable, Mapping

__all__ = [
    "ANSWERS",
    "CONTEXTS",
    "ERRORS",
    "FIRMWARE",
    "FORMATS",
    "LOCATIONS",
    "MEASURANDS",
    "PHASES",
    "REASONS",
    "STATUSES",
    "UNITS",
    "UPLOADS",
    "Words",
]


class Words:
    """One enumeration.

    `others` are spellings of its words that letters alone don't explain; `exact` are words that
    no other spelling means.
    """

    def __init__(
        self,
        known: Iterable[str],
        others: Mapping[str, str] | None = None,
        exact: Iterable[str] = (),
    ) -> None:
        listed = frozenset(known)
        self.known = listed | frozenset(exact)
        self._spelled = {_bare(word): word for word in listed}
        # Two words that differ in that only can't be told apart.
        assert len(self._spelled) == len(listed)
        self._spelled |= {_bare(spelling): word for spelling, word in (others or {}).items()}

    def meant(self, said: str) -> str:
        """The word that this spelling means; the text itself where it means none."""
        if said in self.known or not said:
            return said
        return self._spelled.get(_bare(said), said)


def _bare(text: str) -> str:
    """Its letters and digits, small; the whole of what has none (%)."""
    text = text.lower()
    return "".join(filter(str.isalnum, text)) or text.strip()


STATUSES = Words(
    (
        "Available",
        "Preparing",
        "Charging",
        "SuspendedEVSE",
        "SuspendedEV",
        "Finishing",
        "Reserved",
        "Unavailable",
        "Faulted",
    )
)
"""7.7. `Occupied` of OCPP 1.5 could be five of them, so it stays what it is."""
ERRORS = Words(
    (
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "NoError",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    )
)
"""7.6."""
REASONS = Words(
    (
        "DeAuthorized",
        "EmergencyStop",
        "EVDisconnected",
        "HardReset",
        "Local",
        "Other",
        "PowerLoss",
        "Reboot",
        "Remote",
        "SoftReset",
        "UnlockCommand",
    )
)
"""7.36."""
FIRMWARE = Words(
    (
        "Downloaded",
        "DownloadFailed",
        "Downloading",
        "DownloadPaused",
        "DownloadScheduled",
        "Idle",
        "InstallationFailed",
        "Installed",
        "Installing",
        "InstallRebooting",
        "InstallScheduled",
        "InstallVerificationFailed",
        "InvalidSignature",
        "SignatureVerified",
    )
)
"""7.25, and the security whitepaper's."""
UPLOADS = Words(
    (
        "BadMessage",
        "Idle",
        "NotSupportedOperation",
        "PermissionDenied",
        "Uploaded",
        "UploadFailed",
        "UploadFailure",
        "Uploading",
    )
)
"""7.24, and the security whitepaper's."""
ANSWERS = Words(
    (
        "Accepted",
        "AcceptedCanceled",
        "Blocked",
        "Failed",
        "Faulted",
        "NotFound",
        "NotImplemented",
        "NotSupported",
        "Occupied",
        "RebootRequired",
        "Rejected",
        "Scheduled",
        "Unavailable",
        "Unknown",
        "UnknownMessageId",
        "UnknownVendorId",
        "Unlocked",
        "UnlockFailed",
        "VersionMismatch",
    )
)
"""The `status` of an answer to a Call of ours, whichever it was."""
CONTEXTS = Words(
    (
        "Interruption.Begin",
        "Interruption.End",
        "Other",
        "Sample.Clock",
        "Sample.Periodic",
        "Transaction.Begin",
        "Transaction.End",
        "Trigger",
    )
)
"""7.34."""
FORMATS = Words(("Raw", "SignedData"))
"""7.48."""
LOCATIONS = Words(("Body", "Cable", "EV", "Inlet", "Outlet"))
"""7.23."""
MEASURANDS = Words(
    (
        "Current.Export",
        "Current.Import",
        "Current.Offered",
        "Energy.Active.Export.Interval",
        "Energy.Active.Export.Register",
        "Energy.Active.Import.Interval",
        "Energy.Active.Import.Register",
        "Energy.Reactive.Export.Interval",
        "Energy.Reactive.Export.Register",
        "Energy.Reactive.Import.Interval",
        "Energy.Reactive.Import.Register",
        "Frequency",
        "Power.Active.Export",
        "Power.Active.Import",
        "Power.Factor",
        "Power.Offered",
        "Power.Reactive.Export",
        "Power.Reactive.Import",
        "RPM",
        "SoC",
        "Temperature",
        "Voltage",
    )
)
"""7.31."""
PHASES = Words(("L1", "L1-L2", "L1-N", "L2", "L2-L3", "L2-N", "L3", "L3-L1", "L3-N", "N"))
"""7.32."""
UNITS = Words(
    (
        "A",
        # The schema's spelling; erratum 4.0 allows both, and adds Hertz.
        "Celcius",
        "Celsius",
        "Fahrenheit",
        "Hertz",
        "Hz",
        "K",
        "Percent",
        "V",
        "VA",
        "W",
        "Wh",
        "kVA",
        "kW",
        "kWh",
        "kvar",
        "kvarh",
        "var",
        "varh",
    ),
    # OpenEVSE before firmware 5 (OpenEVSE/openevse_esp32_firmware#726).
    {"C": "Celsius", "%": "Percent"},
    # Not of the standard; a thousandth in other letters.
    exact=("MWh",),
)
"""7.45."""
