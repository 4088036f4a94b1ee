"""Holidays of countries and their parts, as dates that a tariff keeps (PyPI `holidays`).

A version of a tariff copies its dates when it is made, so that it means the same for ever.
"""

from datetime import date

__all__ = ["YEARS", "dates_of"]

YEARS = 12
"""From the year before a version begins on."""
FIRST, LAST = 1970, 2100


def dates_of(calendar: str, first_year: int, years: int = YEARS) -> list[date]:
    """The public holidays of `DE` or `DE-BY` (ISO 3166-1, 3166-2) of these years. Raises
    ValueError, with a sentence for people, where no calendar is called so."""
    # Loaded when a tariff is written: a country's module and the registry, 10 MB.
    import holidays

    country, _, part = calendar.partition("-")
    begin = min(max(first_year, FIRST), LAST)
    try:
        found = holidays.country_holidays(
            country, subdiv=part or None, years=range(begin, begin + years)
        )
    except NotImplementedError as error:
        raise ValueError(_unknown(country, part)) from error
    return sorted(found)


def _unknown(country: str, part: str) -> str:
    import holidays

    known = holidays.list_supported_countries()
    if country not in known:
        return f"no calendar of holidays is known for {country}: write the dates instead"
    parts = ", ".join(sorted(known[country])) or "none"
    return f"{country} has no part {part} with a calendar of its own; it has {parts}"
