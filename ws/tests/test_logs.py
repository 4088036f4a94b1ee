"""The log: one event, one line, whatever a charger puts into it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from levity_ws import logs

HOSTILE = "CP1\r\n2026-01-01 ERROR root: forged \x1b[31mred\x1b[0m \u2028\u202e tab\t\x00end"


@pytest.fixture(params=logs.FORMATS)
def log(request: pytest.FixtureRequest) -> Iterator[tuple[str, logging.Logger, io.StringIO]]:
    """A logger with a handler of its own, in each format."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.formatter({"LEVITY_LOG_FORMAT": request.param}))
    logger = logging.getLogger("levity.test")
    logger.addHandler(handler)
    logger.propagate = False
    yield request.param, logger, written
    logger.removeHandler(handler)


def test_nothing_that_is_logged_begins_a_line_or_steers_a_terminal(
    log: tuple[str, logging.Logger, io.StringIO],
) -> None:
    """I-23."""
    name, logger, written = log
    logger.warning("%s connected", HOSTILE, extra={"charge_point": HOSTILE})
    line = written.getvalue()
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    if name == "json":
        assert json.loads(line)["charge_point"] == HOSTILE


def test_no_line_of_a_traceback_looks_like_an_event(
    log: tuple[str, logging.Logger, io.StringIO],
) -> None:
    """I-23: what failed may quote what a charger sent."""
    name, logger, written = log
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.exception("failed")
    first, *rest = written.getvalue().rstrip("\n").split("\n")
    if name == "json":
        assert rest == []
        assert json.loads(first)["exception"] == "ValueError"
        assert HOSTILE in json.loads(first)["traceback"]
    else:
        assert rest
        assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_json_has_the_time_in_utc_and_the_fields_that_a_line_is_about() -> None:
    record = logging.makeLogRecord(
        {
            "name": "levity.ocpp.worker.loop",
            "levelno": logging.INFO,
            "levelname": "INFO",
            "msg": "%s: %s",
            "args": ("CP1", "Heartbeat"),
            "created": 1767225600.25,
            "charge_point": "CP1",
            "connection": "",
            "message_id": "19",
            "transaction": 7,
            "password": "not a field",
        }
    )
    assert json.loads(logs.JsonFormatter().format(record)) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "INFO",
        "logger": "levity.ocpp.worker.loop",
        "message": "CP1: Heartbeat",
        "charge_point": "CP1",
        "message_id": "19",
        "transaction": 7,
    }


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"LEVITY_LOG_FORMAT": "xml"}, "LEVITY_LOG_FORMAT='xml': use text or json"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL='LOUD': write DEBUG"),
    ],
)
def test_a_mistyped_variable_is_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        logs.configure(environ)
