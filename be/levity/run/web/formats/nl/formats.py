"""Dates as in English, because a table of 2026-11-29 sorts and is misread by nobody; typed in the
Dutch way they are understood, too.

Numbers for people are written by levity.pages.kit.numbers. What a template writes by itself is for
style sheets and drawings, which know only the point.
"""

from levity.run.web.formats.en.formats import (
    DATE_FORMAT,
    DATETIME_FORMAT,
    FIRST_DAY_OF_WEEK,
    MONTH_DAY_FORMAT,
    SHORT_DATE_FORMAT,
    SHORT_DATETIME_FORMAT,
    TIME_FORMAT,
    YEAR_MONTH_FORMAT,
)

__all__ = [
    "DATETIME_FORMAT",
    "DATE_FORMAT",
    "DATE_INPUT_FORMATS",
    "DECIMAL_SEPARATOR",
    "FIRST_DAY_OF_WEEK",
    "MONTH_DAY_FORMAT",
    "SHORT_DATETIME_FORMAT",
    "SHORT_DATE_FORMAT",
    "TIME_FORMAT",
    "YEAR_MONTH_FORMAT",
]

DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d-%m-%Y"]
DECIMAL_SEPARATOR = "."
