"""Asserts of what the cases and captures are judged by say what they saw."""

import pytest

pytest.register_assert_rewrite("tests.field.cases", "tests.field.judge", "tests.field.verdicts")
