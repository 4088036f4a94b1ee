"""What accountants need of who bills and who pays: addresses by field, accounts, mandates.

Not on the rows of issuer and household: whoever may see those sees no whole account number.
"""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models.households import Household
from levity.billing.models.statements import Issuer, StatementRun
from levity.billing.rules.accounts import (
    NoAccount,
    check_creditor_id,
    check_iban,
    masked,
    plain,
)
from levity.writing import Worded

__all__ = ["Creditor", "Debtor", "DirectDebit"]

SAYING = gettext_noop("Such as DE.")
MANDATE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+?/-:().,'")
"""Signs of a mandate reference (EPC rulebook of the core scheme)."""


def _checked(field: str, check: Callable[[str], None], text: str) -> None:
    try:
        if text:
            check(text)
    except Worded as error:
        wrong = ValidationError(error.text, params=error.words)
        raise ValidationError({field: wrong}) from None


class Address(models.Model):
    """By field, as invoices and payments are read by programs."""

    street = models.CharField(max_length=70, blank=True, help_text=gettext_noop("And number."))
    postcode = models.CharField(max_length=16, blank=True)
    city = models.CharField("town", max_length=35, blank=True)
    country = models.CharField(max_length=2, default="DE", help_text=SAYING)
    iban = models.CharField("IBAN", max_length=34, blank=True)

    class Meta:
        abstract = True

    @property
    def iban_masked(self) -> str:
        """DE89…3000."""
        return masked(self.iban)

    def clean_fields(self, exclude: object = None) -> None:
        """Numbers are stored without spaces, in capitals."""
        self.iban = plain(self.iban)
        self.country = self.country.upper()
        super().clean_fields(exclude)  # type: ignore[arg-type]  # as Django calls it
        if not (self.country.isascii() and self.country.isalpha() and len(self.country) == 2):
            raise ValidationError({"country": gettext_noop("Write it in two letters, like DE.")})
        _checked("iban", check_iban, self.iban)


class Creditor(Address):
    """An issuer, as invoices, direct debits and the books need it."""

    site_path = "issuer__site"

    issuer = models.OneToOneField(Issuer, on_delete=models.CASCADE, related_name="creditor")
    contact = models.CharField(
        max_length=100, blank=True, help_text=gettext_noop("Whom residents may ask.")
    )
    phone = models.CharField(max_length=50, blank=True)
    email = models.EmailField("e-mail", blank=True)
    creditor_id = models.CharField(
        "creditor identifier",
        max_length=35,
        blank=True,
        help_text=gettext_noop("For direct debits, such as DE98ZZZ09999999999."),
    )
    due_days = models.PositiveSmallIntegerField(
        default=14, help_text=gettext_noop("Days from the statement's date until it is to be paid.")
    )
    exemption = models.CharField(
        max_length=200,
        blank=True,
        help_text=gettext_noop("Why lines have no tax, if they have none."),
    )
    consultant = models.CharField("consultant number", max_length=7, blank=True)
    client = models.CharField("client number", max_length=5, blank=True)
    revenue_accounts = models.CharField(
        max_length=200,
        blank=True,
        help_text=gettext_noop(
            "For each rate of tax the account of its revenue, such as 19=8400 0=8200."
        ),
    )

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = "accounting data of an issuer"
        verbose_name_plural = "accounting data of issuers"

    def __str__(self) -> str:
        return str(self.issuer)

    def clean_fields(self, exclude: object = None) -> None:
        """As numbers are written."""
        self.creditor_id = plain(self.creditor_id)
        super().clean_fields(exclude)
        _checked("creditor_id", check_creditor_id, self.creditor_id)

    def clean(self) -> None:
        """Numbers of DATEV are digits, and accounts can be read."""
        for name in ("consultant", "client"):
            if not all(sign in "0123456789" for sign in getattr(self, name)):
                raise ValidationError({name: gettext_noop("Write digits only.")})
        try:
            self.accounts()
        except Worded as error:
            wrong = ValidationError(error.text, params=error.words)
            raise ValidationError({"revenue_accounts": wrong}) from None

    def accounts(self) -> dict[str, str]:
        """Rate of tax -> account. Raises `NoAccount`."""
        found = {}
        for each in self.revenue_accounts.replace(",", " ").split():
            rate, equals, account = each.partition("=")
            if not (equals and rate.replace(".", "", 1).isdecimal() and account.isdecimal()):
                raise NoAccount(
                    gettext_noop("“%(given)s” is no rate and account: write them like 19=8400."),
                    given=each,
                )
            found[rate] = account
        return found


class Debtor(Address):
    """A household, as invoices, direct debits and the books need it."""

    site_path = "household__site"

    household = models.OneToOneField(Household, on_delete=models.CASCADE, related_name="debtor")
    reference = models.CharField(
        "buyer's reference",
        max_length=50,
        blank=True,
        help_text=gettext_noop(
            "What they want to read on invoices. Empty: the household's number here."
        ),
    )
    account = models.CharField(
        max_length=9,
        blank=True,
        help_text=gettext_noop("Of this debtor in the books, such as 10001."),
    )
    mandate = models.CharField(
        "mandate reference",
        max_length=35,
        blank=True,
        help_text=gettext_noop("Of the direct debit mandate."),
    )
    signed_on = models.DateField("mandate signed on", null=True, blank=True)
    holder = models.CharField(
        "account holder", max_length=70, blank=True, help_text=gettext_noop("Empty: the household.")
    )

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = "accounting data of a household"
        verbose_name_plural = "accounting data of households"
        constraints = [
            models.UniqueConstraint(
                fields=["mandate"],
                condition=~models.Q(mandate=""),
                name="debtor_mandate",
                violation_error_message=gettext_noop(
                    "Another household has this mandate reference."
                ),
            )
        ]

    def __str__(self) -> str:
        return str(self.household)

    def clean(self) -> None:
        """A mandate is whole: reference, day and account, in signs that banks take."""
        if not all(sign in "0123456789" for sign in self.account):
            raise ValidationError({"account": gettext_noop("Write digits only.")})
        if not self.mandate:
            return
        if set(self.mandate) - MANDATE:
            raise ValidationError(
                {
                    "mandate": gettext_noop(
                        "Banks take A to Z, a to z, 0 to 9 and + ? / - : ( ) . , ' only."
                    )
                }
            )
        if not self.iban:
            raise ValidationError({"iban": gettext_noop("A mandate needs the account.")})
        if self.signed_on is None or self.signed_on > timezone.localdate():
            raise ValidationError(
                {"signed_on": gettext_noop("A mandate needs the day on which it was signed.")}
            )


class DirectDebit(models.Model):
    """A file for the bank, as it was made: what households with a mandate owe for a run."""

    site_path = "run__issuer__site"

    run = models.ForeignKey(StatementRun, on_delete=models.PROTECT, related_name="direct_debits")
    collect_on = models.DateField()
    payments = models.PositiveIntegerField()
    total = models.DecimalField(max_digits=18, decimal_places=2, help_text="EUR.")
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.CharField(max_length=150, blank=True)

    class Meta:
        default_permissions = ("view", "add")
        verbose_name = "file of direct debits"
        verbose_name_plural = "files of direct debits"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.payments} direct debits of {self.run}"
