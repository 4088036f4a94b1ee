"""Public reports of what chargers do, played to the pipeline; the database is the judge.

Those that only a socket can show are played by `test_over_sockets.py`, all of them on running
processes by `make field`.
"""

import pytest

from tests.field.catalogue import Case, all_cases
from tests.field.in_process import InProcess
from tests.field.judge import nothing_to_correct

IN_PROCESS = [case for case in all_cases() if not case.sockets]


@pytest.mark.django_db
@pytest.mark.parametrize("case", IN_PROCESS, ids=str)
def test_a_field_case_leaves_the_books_right(case: Case) -> None:
    case.play(InProcess())
    nothing_to_correct()


def test_no_case_is_there_twice() -> None:
    numbers = [case.number for case in all_cases()]
    assert sorted(set(numbers)) == numbers
