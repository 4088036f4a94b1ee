"""Numbers of accounts: an IBAN (ISO 13616) and a SEPA creditor's, checked by their check digits,
and written so that nobody reads them over a shoulder."""

from levity.billing.rules.words import gettext_noop
from levity.writing import Worded

__all__ = ["NoAccount", "check_creditor_id", "check_iban", "masked", "plain"]

# Length by country, of the SEPA area (EPC409-09); of others from 15 to 34.
LENGTHS = {
    "AD": 24,
    "AL": 28,
    "AT": 20,
    "BE": 16,
    "BG": 22,
    "CH": 21,
    "CY": 28,
    "CZ": 24,
    "DE": 22,
    "DK": 18,
    "EE": 20,
    "ES": 24,
    "FI": 18,
    "FR": 27,
    "GB": 22,
    "GI": 23,
    "GR": 27,
    "HR": 21,
    "HU": 28,
    "IE": 22,
    "IS": 26,
    "IT": 27,
    "LI": 21,
    "LT": 20,
    "LU": 20,
    "LV": 21,
    "MC": 27,
    "MD": 24,
    "ME": 22,
    "MK": 19,
    "MT": 31,
    "NL": 18,
    "NO": 15,
    "PL": 28,
    "PT": 25,
    "RO": 24,
    "RS": 22,
    "SE": 24,
    "SI": 19,
    "SK": 24,
    "SM": 27,
    "VA": 22,
}
SHOWN = 4


class NoAccount(Worded, ValueError):
    """This is no number of an account; the text says why, for people."""


def plain(text: str) -> str:
    """As it is stored: capitals, without spaces."""
    return "".join(text.split()).upper()


def check_iban(text: str) -> None:
    """Raise `NoAccount`, with a sentence that does not repeat the number, if it is none."""
    number = plain(text)
    if not (_begins_well(number) and 15 <= len(number) <= 34):
        raise NoAccount(gettext_noop("This is no IBAN: write it like DE89 3704 0044 0532 0130 00."))
    wanted = LENGTHS.get(number[:2])
    if wanted is not None and len(number) != wanted:
        raise NoAccount(
            gettext_noop("An IBAN of %(country)s has %(count)s letters and digits."),
            country=number[:2],
            count=wanted,
        )
    if not _is_sound(number[4:] + number[:4]):
        raise NoAccount(
            gettext_noop("The check digits of this IBAN are wrong: a letter or digit was mistyped.")
        )


def check_creditor_id(text: str) -> None:
    """The same for a SEPA creditor's identifier (EPC262-08): its business code does not count."""
    number = plain(text)
    if not (_begins_well(number) and 8 <= len(number) <= 35):
        raise NoAccount(
            gettext_noop("This is no creditor identifier: write it like DE98ZZZ09999999999.")
        )
    if not _is_sound(number[7:] + number[:4]):
        raise NoAccount(
            gettext_noop("The check digits of this identifier are wrong: it was mistyped.")
        )


def masked(number: str) -> str:
    """DE89…3000: enough to tell two apart."""
    return f"{number[:SHOWN]}…{number[-SHOWN:]}" if number else ""


def _begins_well(number: str) -> bool:
    """Country, two check digits, then letters and digits."""
    return (
        number.isascii() and number.isalnum() and number[:2].isalpha() and number[2:4].isdecimal()
    )


def _is_sound(turned: str) -> bool:
    """ISO 7064, MOD 97-10."""
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1
