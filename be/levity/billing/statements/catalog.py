"""What statements and their mails say in each language: the catalogs that the pages have, too
(levity/billing/locale), read by Python's own gettext.

Names no Django: the child process that makes PDF files loads little.
"""

from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

__all__ = ["LOCALE", "catalog"]

LOCALE = Path(__file__).resolve().parents[1] / "locale"
DOMAIN = "django"


@cache
def catalog(language: str) -> NullTranslations:
    """Of `de`, `fr` or `nl`; English is what stands in the code."""
    return (
        NullTranslations()
        if language == "en"
        else translation(DOMAIN, LOCALE, [language], fallback=True)
    )
