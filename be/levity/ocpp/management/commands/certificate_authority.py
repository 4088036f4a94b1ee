"""`levity certificate_authority create|show|export|crl`: who signs chargers' certificates."""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from levity.ocpp.decisions.authority.authorities import (
    AuthorityError,
    create_authority,
    current_authority,
    make_revocation_list,
    replaced_authorities,
)
from levity.ocpp.decisions.authority.key_file import KeyUnavailable, key_path
from levity.ocpp.models import CertificateAuthority, ChargePointCertificate

__all__ = ["Command"]

# A century; certificates know no year after 9999 anyway.
MOST_DAYS = 36_500


def organization(text: str) -> str:
    """A name that fits into a certificate (ub-organization-name of RFC 5280)."""
    name = text.strip()
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise ArgumentTypeError("write 1 to 64 printable characters")
    return name


def days(text: str) -> int:
    """A number of days."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_DAYS):
        raise ArgumentTypeError(f"write a number from 1 to {MOST_DAYS}")
    return int(text)


class Command(BaseCommand):
    """The key is a file beside the data, for its owner alone; only certificates leave here."""

    help = (
        "The certificate authority for charge points (security profile 3): create it once, and "
        "pass the output of `export` and `crl` to nginx (client-certificates.sh)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(
            dest="what", required=True, metavar="create|show|export|crl"
        )
        create = actions.add_parser("create", help="create its key and certificate")
        create.add_argument("--organization", required=True, type=organization, metavar="NAME")
        create.add_argument("--days", type=days, default=7300, help="[7300] validity")
        create.add_argument("--replace", action="store_true", help="replace the existing one")
        actions.add_parser("show", help="show the authority and where its key is")
        export = actions.add_parser("export", help="its certificate, PEM")
        export.add_argument("file", nargs="?", type=Path, help="[standard output]")
        export.add_argument(
            "--all", action="store_true", help="include replaced authorities, for nginx"
        )
        crl = actions.add_parser(
            "crl",
            help="the list of revoked certificates, PEM; including those of replaced authorities",
        )
        crl.add_argument("file", nargs="?", type=Path, help="[standard output]")
        crl.add_argument("--days", type=days, default=30, help="[30] validity of the list")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['what']}")(options)
        except (AuthorityError, KeyUnavailable) as error:
            raise CommandError(str(error)) from error

    def _create(self, options: dict[str, Any]) -> None:
        made = create_authority(
            options["organization"], options["days"], timezone.now(), replace=options["replace"]
        )
        self.stdout.write(f"Created {made}, valid until {made.not_after:%Y-%m-%d}.")
        self.stdout.write(f"Its key is in {key_path()}: keep a copy in a safe place.")

    def _show(self, options: dict[str, Any]) -> None:
        made = _current()
        certificates = ChargePointCertificate.objects.filter(authority=made)
        self.stdout.write(f"organization  {made.organization}")
        self.stdout.write(f"SHA-256       {made.fingerprint}")
        self.stdout.write(f"valid until   {made.not_after:%Y-%m-%d %H:%M} UTC")
        self.stdout.write(f"key           {key_path()}")
        self.stdout.write(f"signed        {certificates.count()}")
        self.stdout.write(f"revoked       {certificates.filter(revoked_at__isnull=False).count()}")

    def _export(self, options: dict[str, Any]) -> None:
        found = [_current(), *(replaced_authorities(timezone.now()) if options["all"] else ())]
        self._write("".join(item.certificate for item in found), options["file"])

    def _crl(self, options: dict[str, Any]) -> None:
        days, now = options["days"], timezone.now()
        lists = [make_revocation_list(_current(), days, now)]
        # nginx lets nobody in with a certificate of an authority whose list it lacks.
        for old in replaced_authorities(now):
            try:
                lists.append(make_revocation_list(old, days, now))
            except KeyUnavailable as error:
                self.stderr.write(
                    f"No list for {old}, which was replaced: {error}. Remove its certificate from "
                    "nginx."
                )
        self._write("".join(lists), options["file"])

    def _write(self, text: str, file: Path | None) -> None:
        if file is None:
            self.stdout.write(text, ending="")
            return
        try:
            file.write_text(text)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error


def _current() -> CertificateAuthority:
    made = current_authority()
    if made is None:
        raise AuthorityError(
            "there is no authority: `levity certificate_authority create --organization NAME`"
        )
    return made
