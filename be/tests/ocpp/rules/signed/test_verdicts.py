"""What a signature is worth: with the key that was entered, with the charger's own, or not."""

import base64
import json
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from levity.ocpp.rules.signed import alfen, ocmf
from levity.ocpp.rules.signed.containers import ALFEN, OCMF, OTHER, unwrapped
from levity.ocpp.rules.signed.keys import BadKey, key_of, same_key
from levity.ocpp.rules.signed.readings import BadData
from levity.ocpp.rules.signed.safe_xml import safe_xml
from levity.ocpp.rules.signed.verdict import EnteredKey, Verdict, judge, session_of
from tests.ocpp.rules.signed import samples
from tests.ocpp.rules.signed.samples import AT, ocmf_text, private_key, public_key, reading, wrapped

BEGIN, END = reading("B", "100.000"), reading("E", "105.2600")
WHOLE = ocmf_text(BEGIN, END)
MINE = EnteredKey(public_key(), None, None, None)


def judged(raw, *entered, context="Transaction.End"):
    container = unwrapped(raw)
    assert container is not None
    return judge(container, AT, context, entered)


WRAPPED = {
    "plain": WHOLE,
    "with blanks": f"\n {WHOLE} ",
    "hexadecimal": WHOLE.encode().hex(),
    "base64": base64.b64encode(WHOLE.encode()).decode(),
    "oca": wrapped(WHOLE),
    "oca with key": wrapped(WHOLE, public_key()),
    "json": json.dumps({"signedMeterData": WHOLE}),
}


@pytest.mark.parametrize("way", WRAPPED)
def test_all_ways_in_which_chargers_wrap_it_are_taken_out_byte_for_byte(way):
    raw = WRAPPED[way]
    container = unwrapped(raw)
    assert container is not None
    assert (container.format, container.text) == (OCMF, WHOLE)
    assert judged(raw, MINE).verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "1234.5",
        "OCMF",
        "{}",
        "[" * 5_000,
        '{"signedMeterData": 7}',
        "x" * 200_000,
        "${jndi:x}",
        "a" * 300,
    ],
)
def test_what_is_no_signed_data_is_none(raw):
    assert unwrapped(raw) is None


def test_a_format_that_is_not_verified_is_kept_and_says_so():
    raw = wrapped("\x1b\x1b\x1b\x1b" + "\x01" * 60, method="EDL40")
    container = unwrapped(raw)
    assert container is not None
    assert container.format == OTHER
    assert bytes.fromhex(container.text).startswith(b"\x1b\x1b\x1b\x1b")
    found = judged(raw, MINE)
    assert (found.verdict, "not verified here" in found.why) == (Verdict.UNCHECKED, True)


def test_the_key_that_was_entered_decides_and_the_chargers_is_a_claim():
    alone = judged(wrapped(WHOLE, public_key()))
    assert alone.verdict is Verdict.SELF_ASSERTED
    assert judged(wrapped(WHOLE, public_key("forger")), MINE).verdict is Verdict.VERIFIED
    forged = ocmf_text(BEGIN, END, by="forger")
    found = judged(wrapped(forged, public_key("forger")), MINE)
    assert found.verdict is Verdict.FAILS
    assert "was the meter replaced?" in found.why
    assert judged(wrapped(forged), MINE).why.startswith("the signature is not that")
    assert judged(wrapped(WHOLE)).verdict is Verdict.UNCHECKED


def test_of_several_keys_that_are_good_one_is_enough():
    other = EnteredKey(public_key("other"), None, None, None)
    assert judged(WHOLE, other, MINE).verdict is Verdict.VERIFIED
    assert judged(WHOLE, EnteredKey("no key", None, None, None), other).verdict is Verdict.FAILS
    assert judged(WHOLE, EnteredKey("no key", None, None, None)).verdict is Verdict.UNCHECKED


def test_a_key_is_good_for_its_connector_and_its_time():
    key = EnteredKey("", 2, AT, AT + timedelta(days=1))
    assert key.is_for(2, AT)
    assert not key.is_for(1, AT)
    assert not key.is_for(2, AT + timedelta(days=1))
    assert not key.is_for(2, AT - timedelta(seconds=1))
    assert MINE.is_for(None, AT)


@pytest.mark.parametrize("curve", ["SECP256R1", "SECP256K1", "SECP384R1", "BrainpoolP256R1"])
def test_keys_are_read_as_people_write_them(curve):
    der = public_key("any", curve)
    dense = base64.b64encode(bytes.fromhex(der)).decode()
    spaced = " ".join(der[at : at + 4] for at in range(0, len(der), 4))
    lines = "\n".join(dense[at : at + 64] for at in range(0, len(dense), 64))
    pem = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    size = (private_key("any", curve).key_size + 7) // 8
    point = der[-4 * size - 2 :]
    for text in (der.upper(), dense, spaced, pem, f"oca:base16:asn1:{der}"):
        assert same_key(text, der)
    assert same_key(point, der, curve)
    assert same_key(point[2:], der, curve)


@pytest.mark.parametrize(
    "text", ["", "  ", "key", "00", "30ff", "04" * 65, "é", "1" * 5_000, "oca:::"]
)
def test_what_is_no_key_is_refused_with_the_reason(text):
    with pytest.raises(BadKey):
        key_of(text)


def test_a_session_is_worth_its_worst_value_and_comes_to_the_difference():
    begin, end = ocmf_text(BEGIN), ocmf_text(END)
    both = session_of([judged(begin, MINE), judged(end, MINE)])
    assert (both.verdict, both.wh, both.meter) == (Verdict.VERIFIED, Decimal(5260), "1EMH0001")
    half = session_of([judged(begin, MINE), judged(ocmf_text(END, by="forger"), MINE)])
    assert (half.verdict, half.wh) == (Verdict.FAILS, None)
    one = session_of([judged(WHOLE, MINE)])
    assert (one.verdict, one.wh) == (Verdict.VERIFIED, 5260)


ODD = {
    "missing": [ocmf_text(BEGIN)],
    "several meters": [ocmf_text(BEGIN), ocmf_text(END, meter="2EMH")],
    "the signed register fell": [ocmf_text(BEGIN, reading("E", "99.0"))],
    "something was wrong": [ocmf_text(BEGIN, reading("E", "105.0", ST="M"))],
    "was wrong with the reading": [ocmf_text(BEGIN, reading("E", "105.0", EF="E"))],
    "of the end is missing": [ocmf_text(BEGIN, reading("E", "105.0", RI="1-0:1.8.0"))],
}


@pytest.mark.parametrize("why", ODD)
def test_verified_values_that_say_no_energy_are_no_verified_session(why):
    found = session_of([judged(text, MINE) for text in ODD[why]])
    assert (found.verdict, found.wh) == (Verdict.UNCHECKED, None)
    assert why in found.why


def test_a_reading_inherits_what_it_leaves_out():
    second = {"TX": "E", "RV": "105.0"}
    found = ocmf.read(ocmf_text(BEGIN, second)).readings
    assert [(each.obis, each.wh) for each in found] == [
        ("01-00:98.08.00.FF", 100_000),
        ("01-00:98.08.00.FF", 105_000),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "OCMF|{}",
        "OCMF|{|{}",
        "OCMF|[]|{}",
        "OCMF|{}|{}",
        'OCMF|{}|{"SD": 7}',
        'OCMF|{}|{"SD": "xy"}',
        'OCMF|{}|{"SD": "00", "SA": "ECDSA-secp256r1-MD5"}',
        "OCMF|" + "[" * 9_000 + "|{}",
    ],
)
def test_damaged_ocmf_is_no_traceback(text):
    found = judged(text, MINE)
    assert found.verdict is Verdict.UNCHECKED
    assert found.why


def test_a_pair_of_alfen_verifies_and_comes_to_its_difference():
    begin, end = (judged(text) for text in samples.ALFEN)
    found = session_of([begin, end])
    assert (begin.container.format, found.verdict, found.wh) == (ALFEN, Verdict.SELF_ASSERTED, 138)
    assert found.meter == "0A01445A470033009347"
    key = EnteredKey(samples.ALFEN_KEY, 1, None, None)
    assert session_of([judged(text, key) for text in samples.ALFEN]).verdict is Verdict.VERIFIED


def test_alfen_with_a_changed_byte_or_half_of_it_does_not_verify():
    text = samples.ALFEN[0]
    parts = text.split(";")
    changed = ";".join([*parts[:4], parts[4].replace("BIHEIWSH", "BIHEIWSI"), *parts[5:]])
    assert not alfen.verify(changed, samples.ALFEN_KEY)
    assert judged(changed).verdict is Verdict.FAILS
    for broken in ("AP;0;3;", "AP;0;3;a;b;c;", ";".join([*parts[:4], "AAAA", *parts[5:]])):
        assert judged(broken).verdict in (Verdict.UNCHECKED, Verdict.FAILS)
    with pytest.raises(BadData):
        alfen.read("AP;0;3;" + ";".join(("AAAA",) * 3))


def test_the_xml_gives_back_each_byte_whatever_stands_in_it():
    hostile = ocmf_text(
        BEGIN, END, ID='<!ENTITY x SYSTEM "file:///etc/passwd">]]>&${jndi:ldap://x/a}'
    )
    values = [judged(hostile, MINE, context='"><x>'), judged(samples.ALFEN[0])]
    document = safe_xml([(7, values)])
    root = ET.fromstring(document)
    assert [each.findtext("signedData") for each in root] == [hostile, samples.ALFEN[0]]
    assert [each.get("transactionId") for each in root] == ["7", "7"]
    first = root[0]
    assert first.get("context") == '"><x>'
    assert first.findtext("publicKey") == public_key()
    key = first.find("publicKey")
    assert key is not None
    assert key.get("encoding") == "hex"
    assert safe_xml([]) == '<?xml version="1.0" encoding="UTF-8"?>\n<values>\n</values>\n'
