"""`levity price` as it is typed."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

TARIFF = {"time_zone": "Europe/Berlin", "energy": [{"price_per_kwh": "0.30", "name": "day"}]}
SESSION = {
    "start": "2026-11-03T10:00:00Z",
    "end": "2026-11-03T11:00:00Z",
    "energy_wh": "25347",
}


@pytest.fixture
def files(tmp_path):
    tariff, session = tmp_path / "tariff.json", tmp_path / "session.json"
    tariff.write_text(json.dumps(TARIFF))
    session.write_text(json.dumps(SESSION))
    return tariff, session


def printed(*args, **options):
    out = io.StringIO()
    call_command("price", *map(str, args), stdout=out, **options)
    return out.getvalue()


def test_a_line_for_each_price_and_the_sums(files):
    assert printed(*files).splitlines() == [
        "energy day  25.347 kWh  0.3 EUR/kWh  7.60 EUR  0 % VAT",
        "",
        "net 7.60, tax 0.00, gross 7.60 EUR",
    ]
    assert json.loads(printed(*files, json=True))["gross"] == "7.60"


def test_standard_input_is_a_file_too(files, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(SESSION)))
    assert "7.60" in printed(files[0], "-")


def test_what_is_wrong_is_named(files):
    files[0].write_text('{"time_zone": "Europe/Berlin", "energy": [{"price_per_kwh": "x"}]}')
    with pytest.raises(CommandError, match=r"tariff\.energy\.0\.price_per_kwh"):
        printed(*files)
    files[0].write_text("{")
    with pytest.raises(CommandError, match="this is no JSON"):
        printed(*files)
    with pytest.raises(CommandError, match="No such file"):
        printed("nowhere.json", files[1])
