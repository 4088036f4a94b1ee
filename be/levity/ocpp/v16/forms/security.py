"""Certificates that a charger holds."""

from levity.ocpp.call_forms import CallForm, Field, Kind

__all__ = ["SECURITY"]

GROUP = "Security"
ROOTS = (
    ("CentralSystemRootCertificate", "of this central system"),
    ("ManufacturerRootCertificate", "of the maker of the charger"),
)
PEM = "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----"

SECURITY = (
    CallForm(
        "installed-certificates",
        "List root certificates",
        GROUP,
        "GetInstalledCertificateIds",
        "The charger names the certificates of this kind that it trusts.",
        (
            Field(
                "certificateType",
                "Root certificates",
                Kind.CHOICE,
                choices=ROOTS,
                default="CentralSystemRootCertificate",
            ),
        ),
        words="installed ids hash",
    ),
    CallForm(
        "install-certificate",
        "Install a root certificate",
        GROUP,
        "InstallCertificate",
        "The charger trusts what this certificate has signed. A wrong one can lock it out.",
        (
            Field(
                "certificateType",
                "Root certificate",
                Kind.CHOICE,
                choices=ROOTS,
                default="CentralSystemRootCertificate",
            ),
            Field(
                "certificate",
                "Certificate",
                Kind.LONG_TEXT,
                "PEM, at most 5,500 characters.",
                longest=5500,
                example=PEM,
            ),
        ),
        is_dangerous=True,
        words="trust pem authority",
    ),
    CallForm(
        "delete-certificate",
        "Delete a root certificate",
        GROUP,
        "DeleteCertificate",
        "The charger does not trust it any more. “List root certificates” names these values.",
        (
            Field(
                "certificateHashData.hashAlgorithm",
                "Hash algorithm",
                Kind.CHOICE,
                choices=tuple((name, name) for name in ("SHA256", "SHA384", "SHA512")),
                default="SHA256",
            ),
            Field(
                "certificateHashData.issuerNameHash",
                "Hash of the issuer's name",
                longest=128,
                example="0f5a",
            ),
            Field(
                "certificateHashData.issuerKeyHash",
                "Hash of the issuer's key",
                longest=128,
                example="9c1d",
            ),
            Field("certificateHashData.serialNumber", "Serial number", longest=40, example="01"),
        ),
        is_dangerous=True,
        for_many=False,
        words="remove",
    ),
    CallForm(
        "certificate-signed",
        "Send a signed certificate",
        GROUP,
        "CertificateSigned",
        "The certificate by which the charger proves who it is, with those of its issuers behind "
        "it. As a rule Levity sends it by itself, after the charger has asked for one.",
        (
            Field(
                "certificateChain",
                "Certificates",
                Kind.LONG_TEXT,
                "PEM, at most 10,000 characters.",
                longest=10_000,
                example=PEM,
            ),
        ),
        for_many=False,
        words="client certificate chain pem",
    ),
)
