"""What a mail with a statement says, in the household's language."""

from collections.abc import Mapping
from typing import Any

from levity.billing.statements.catalog import catalog
from levity.billing.statements.texts import day, energy, language_of, money, pgettext

__all__ = ["letter"]

SUBJECT = pgettext("mail", "Statement {number}: charging from {first} to {last}")
GREETING = pgettext("mail", "Hello {household},")
SENTENCE = pgettext(
    "mail",
    "attached is your statement {number} for charging from {first} to {last}: {kwh} kWh, {sum}.",
)
SUMS = (
    pgettext("mail", "{amount} {currency} to pay"),
    pgettext("mail", "a credit of {amount} {currency}"),
)
"""What is to be paid, and what is owed to the household instead."""
LONGEST = 180


def letter(document: Mapping[str, Any]) -> tuple[str, str]:
    """Subject, one line, and body of the mail with the statement of this document."""
    language = language_of(document)
    say = catalog(language).pgettext
    gross = document["gross"]
    is_credit = gross.startswith("-")
    words = {
        "number": document["number"],
        "household": document["household"]["name"],
        "first": day(document["first_day"], language),
        "last": day(document["last_day"], language),
        "kwh": energy(document["wh"], language),
        "amount": money(gross.removeprefix("-"), language),
        "currency": document["currency"],
    }
    words["sum"] = say(*SUMS[is_credit]).format_map(words)
    subject = " ".join(say(*SUBJECT).format_map(words).split())[:LONGEST]
    issuer = document["issuer"]
    parts = [
        say(*GREETING).format_map(words),
        say(*SENTENCE).format_map(words),
        "" if is_credit else document["payment_text"].strip(),
        "\n".join(filter(None, (issuer["name"], issuer["address"].strip()))),
    ]
    return subject, "\n\n".join(filter(None, parts)) + "\n"
