"""The format of a conversation, and what is taken out of it before it leaves the house."""

import json
import re
from datetime import UTC, datetime

import pytest

from levity.ocpp.conversation.lines import BadConversationError, Line, read_lines, written
from levity.ocpp.wire.masking import Anonymiser, without_secrets

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        '[2,"1","Heartbeat",{}]',
        '[3,"1",{"configurationKey":[]',
        '[ 2 ,\t"1" , "Heartbeat" ,\r\n{ } ]\r\n',
        '[2,"1","StopTransaction",{"transactionId":9223372036854775807,"meterStop":1.50}]',
        '[2,"1","DataTransfer",{"data":"\\ud800 and \\u00e9","data":2}]',
        '{"not":"an array"}',
        "NaN",
        "",
    ],
)
def test_a_frame_is_read_as_it_was_written(text: str) -> None:
    """Odd white space, half frames, numbers in odd spelling, doubled names."""
    line = Line(AT, 3, "charge_point", text, number=1)
    (again,) = read_lines([written(line)])
    assert again == line


def test_an_ordinary_frame_is_json_in_its_line() -> None:
    """So that people can read it and jq can search it."""
    line = Line(AT, 1, "charge_point", '[2, "1", "Heartbeat", {}]')
    assert json.loads(written(line)) == {
        "at": "2026-03-01T08:00:00.000000Z",
        "connection": 1,
        "from": "charge_point",
        "frame": [2, "1", "Heartbeat", {}],
    }


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: not a JSON object"),
        ("{}", 'line 2: "at" is not a time'),
        ('{"at":"2026-03-01T08:00:00"}', 'line 2: "at" is not a time with its zone'),
        ('{"at":"2026-03-01T08:00:00Z"}', 'line 2: there must be one of "frame"'),
        ('{"at":"2026-03-01T08:00:00Z","event":"born"}', 'line 2: "event" is none of connected'),
        ('{"at":"2026-03-01T08:00:00Z","frame":[]}', 'line 2: "from" is neither'),
        (
            '{"at":"2026-03-01T08:00:00Z","from":"charge_point","frame":{}}',
            'line 2: "frame" is not a JSON array',
        ),
        (
            '{"at":"2026-03-01T08:00:00Z","event":"connected","connection":0}',
            'line 2: "connection" is not a number from 1',
        ),
    ],
)
def test_a_broken_line_is_named(bad: str, why: str) -> None:
    """With its number, and with what should be there."""
    good = written(Line(AT, sender="charge_point", text='[2,"1","Heartbeat",{}]'))
    with pytest.raises(BadConversationError, match=re.escape(why)):
        list(read_lines([good, bad]))


@pytest.mark.parametrize(
    ("frame", "masked"),
    [
        (
            '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"s3cret"}]',
            '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]',
        ),
        (
            '[3,"1",{"configurationKey":[{"value":"pass word","key":"WiFiPassword"}]}]',
            '[3,"1",{"configurationKey":[{"value":"***","key":"WiFiPassword"}]}]',
        ),
        (
            '[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","value":"300"}]}]',
            '[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","value":"300"}]}]',
        ),
        (
            '[3,"1",{"configurationKey":[{"key":"WiFiPassword","value":"half',
            '[3,"1",{"configurationKey":[{"key":"WiFiPassword","value":"***',
        ),
        (
            '[2,"1","GetDiagnostics",{"location":"ftp://bob:s3cret@host/path"}]',
            '[2,"1","GetDiagnostics",{"location":"ftp://***@host/path"}]',
        ),
        (
            '[2,"1","GetDiagnostics",{"location":"https://a.example/x?sv=1&sig=Ab%2F&se=2026"}]',
            '[2,"1","GetDiagnostics",{"location":"https://a.example/x?sv=1&sig=***&se=2026"}]',
        ),
        ('{"l":"https://a/?X-Amz-Signature=ab","m":', '{"l":"https://a/?X-Amz-Signature=***","m":'),
        ('{"l":"https://a/?n=1&sig=","sig":"https://a/b?sig"}',) * 2,
        (
            '[2,"1","DataTransfer",{"vendorId":"X","data":"{\\"wifi_password\\":\\"s3cret\\"}"}]',
            '[2,"1","DataTransfer",{"vendorId":"X","data":"{\\"wifi_password\\":\\"***\\"}"}]',
        ),
        (
            '[2,"1","ChangeConfiguration",{"key":"SimPin","value":1234}]',
            '[2,"1","ChangeConfiguration",{"key":"SimPin","value":"***"}]',
        ),
        ('[2,"1","GetConfiguration",{"key":["AuthorizationKey"]}]',) * 2,
        ('[ 2, "1",\t"Authorize", {"idTag" : "04AA" }]',) * 2,
    ],
)
def test_secrets_are_masked_and_nothing_else_changes(frame: str, masked: str) -> None:
    """In either order of key and value, in half a frame, in JSON within a string."""
    assert without_secrets(frame) == masked


def test_the_same_becomes_the_same_in_the_same_length() -> None:
    """In idTag, in free text, in message ids made of the serial number, with two bytes more."""
    anonymiser = Anonymiser(b"a fixed key")
    anonymiser.learn(["GRS-184000271", "04A1B2C3D4E5F6"])
    frame = (
        '[2,"GRS-1840002715F2A1EEF","StartTransaction",{"idTag":"04a1B2C3D4E5F6","connectorId":1,'
        '"info":"tag 04A1B2C3D4E5F6 at 10.1.2.3 (00:1a:2b:3c:4d:5e)"}]'
    )
    hidden = anonymiser.frame(frame)
    _, unique_id, action, payload = json.loads(hidden)
    tag, serial = payload["idTag"], anonymiser.pseudonym("GRS-184000271")
    assert re.fullmatch(r"\d\d[a-f]\d[A-F]\d[A-F]\d[A-F]\d[A-F]\d[A-F]\d", tag)
    assert tag != "04a1B2C3D4E5F6"
    assert unique_id == f"{serial}5F2A1EEF"
    assert serial[3] == "-"
    assert action == "StartTransaction"
    assert payload["info"].startswith(f"tag {tag.upper()} at 192.0.2.")
    assert "10.1.2.3" not in hidden
    assert "1a:2b" not in hidden
    longer = json.loads(anonymiser.frame('[2,"1","Authorize",{"idTag":"04A1B2C3D4E5F61F"}]'))
    assert longer[3]["idTag"][:14] == tag.upper()
    assert len(longer[3]["idTag"]) == 16
    assert Anonymiser().pseudonym("04A1B2C3D4E5F6") != tag.upper()


def test_what_is_no_name_stays() -> None:
    """Firmware versions that look like addresses, words where no tag was presented, numbers."""
    frame = (
        '[2,"1","BootNotification",{"firmwareVersion":"1.4.0.116","chargePointModel":"E3",'
        '"meterType":"SW"}]'
    )
    anonymiser = Anonymiser()
    assert anonymiser.frame(frame) == frame
    tags = '[2,"1","StartTransaction",{"idTag":"NoAuthorization","meterStart":184000271}]'
    assert anonymiser.frame(tags) == tags
    assert anonymiser.frame('[2,"1","StopTransaction",{"idTag":""}]').endswith('{"idTag":""}]')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chargePointSerialNumber", "ACE0042117"),
        ("meterSerialNumber", "M-77120"),
        ("iccid", "8949020000012345678"),
        ("imsi", "262019876543210"),
        ("parentIdTag", "GROUP-0815"),
        ("csr", "-----BEGIN CERTIFICATE REQUEST-----"),
    ],
)
def test_what_says_whose_it_is_is_replaced(name: str, value: str) -> None:
    """Serial numbers, SIM cards, tags, certificates."""
    assert value not in Anonymiser().frame(json.dumps([2, "1", "X", {name: value}]))


@pytest.mark.parametrize(
    "said",
    [
        *("04:A1:B2:C3:D4:E5:F6", "04-a1-b2-c3-d4-e5-f6", "F6E5D4C3B2A104", "f6:e5:d4:c3:b2:a1:04"),
        *("DE-ABC-C12345678-9", "DE-ABC-C12345678", "DEABCC123456789", "deabcc12a45678"),
        *("DE*ABC*123456*7", "+49 171 1234567", "+491711234567", "0049-171-1234567"),
        *("0171/1234567", "(0171) 1234567", "+1 (555) 010-9999"),
        *("04 A1 B2 C3 D4 E5 F6", "anna.muster@example.org", "48.137154, 11.576124"),
    ],
)
def test_what_tells_a_person_is_replaced_in_free_text_too(said: str) -> None:
    """C10: a known tag with colons or backwards, mail addresses, places, contracts, telephones."""
    anonymiser = Anonymiser(b"a fixed key")
    anonymiser.learn(["04A1B2C3D4E5F6"])
    for text in (f"card {said} read", f'{{"note":"{said}"}}', said):
        hidden = anonymiser.frame(json.dumps([2, "1", "DataTransfer", {"data": text}]))
        assert said not in hidden
        assert said.lower() not in hidden.lower()
    # The same bytes become the same, however they are spelled.
    bare = anonymiser.pseudonym("04A1B2C3D4E5F6")
    assert anonymiser.words("04:A1:B2:C3:D4:E5:F6").replace(":", "") == bare


@pytest.mark.parametrize(
    "name",
    [
        *("rfid", "uid", "cardUid", "user", "userName", "email", "latitude", "lon", "driver_id"),
        *("contract", "contractNumber", "phoneNo", "tel", "IBAN", "Telefon"),
    ],
)
def test_what_tells_a_person_is_replaced_in_json_of_the_vendor(name: str) -> None:
    """C10: DataTransfer carries what OCPP has no field for."""
    value = 48.137154 if name in ("latitude", "lon") else "A77F21"
    inside = json.dumps({name: value})
    hidden = Anonymiser().frame(json.dumps([2, "1", "DataTransfer", {"data": inside}]))
    assert str(value) not in hidden
    json.loads(json.loads(hidden)[3]["data"])


@pytest.mark.parametrize(
    "said",
    [
        *("2026-03-01T08:00:00+01:00", "+184000271.5", "184000271", "GWM-07.020-A"),
        *("DE*ABC*E1234*1", "true", "0x0012345678", "8a6e0804-2bd0-4672-b79d-d97027f9071a"),
        *("01-02-2026 10:00", "EVC04-AC22SW-L", "v0012345678", "00:1a"),
    ],
)
def test_what_is_no_telephone_and_no_contract_stays(said: str) -> None:
    """Times, registers, versions, names of chargers and models, message ids."""
    payload = {"value": said, "info": f"it says {said}"}
    if said.startswith("+"):
        del payload["info"]
    frame = json.dumps([2, "8a6e0804-2bd0-4672", "MeterValues", payload])
    assert Anonymiser().frame(frame) == frame


def test_a_frame_as_long_as_the_edge_lets_through_is_masked_in_no_time() -> None:
    """128 KiB of configuration keys."""
    keys = [{"key": f"Key{n}", "readonly": False, "value": "v" * 20} for n in range(1800)]
    frame = json.dumps([3, "1", {"configurationKey": keys}])
    begun = datetime.now(UTC)
    assert without_secrets(frame) == frame
    assert (datetime.now(UTC) - begun).total_seconds() < 5
