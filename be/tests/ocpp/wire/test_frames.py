"""OCPP-J frames, read and written (I-01 to I-12): exact results, never an exception."""

import pytest

from levity.ocpp.wire.frames import (
    Call,
    CallError,
    CallResult,
    ErrorCode,
    Malformed,
    parse,
    storable,
    write_call,
    write_error,
    write_result,
)
from levity.ocpp.wire.json_repair import repaired

FORMATION = ErrorCode.FORMATION_VIOLATION
BAD_ID = "the unique id is not a string of 1 to 64 characters"
DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"1","Heartbeat",{}]', Call("1", "Heartbeat", {})),
        (' [ 2 , "1" ,\n"Heartbeat" , { } ] ', Call("1", "Heartbeat", {})),  # ABL
        ('[2,"1","",null]', Call("1", "", None)),
        ('[2,"1","heartbeat",[]]', Call("1", "heartbeat", [])),
        (f'[2,"{"x" * 36}","A",{{}}]', Call("x" * 36, "A", {})),
        ('[3,"1",{"status":"Accepted"}]', CallResult("1", {"status": "Accepted"})),
        ('[3,"1",null]', CallResult("1", None)),
        ('[4,"1","GenericError","no",{"a":1}]', CallError("1", "GenericError", "no", {"a": 1})),
        ('[4,"1","GenericError","no"]', CallError("1", "GenericError", "no", {})),
        ('[4,"1","GenericError"]', CallError("1", "GenericError", "", {})),
        ('[4,"1",5,null,[]]', CallError("1", "5", "None", [])),
        # I-07: JSON says nothing of a key that comes twice; the last one counts, and it is noted.
        ('[2,"1","A",{"a":1,"a":2}]', Call("1", "A", {"a": 2}, "a")),
        (
            '[2,"1","A",{"a" : 1 ,"b":[{"c":{}, "c" :1}],"a":2}]',
            Call("1", "A", {"a": 2, "b": [{"c": 1}]}, "c, a"),
        ),
        ('[2,"1","A",{"a":1,"\\u0061":"b:c"}]', Call("1", "A", {"a": "b:c"}, "a")),
        ('[2,"1","A",{"a":1,"a\\u0000":2}]', Call("1", "A", {"a": 2}, "a")),
        ('[2,"1","A",{"a":"\\u003a","a":"x\\u003ay"}]', Call("1", "A", {"a": "x:y"}, "a")),
        ('[2,"1","A",{"a":1,"a":"\\ud800"}]', Call("1", "A", {"a": "\ufffd"}, "a")),
        ('[2,"1","A",{"":1,"":2}]', Call("1", "A", {"": 2}, "an empty name")),
        ('[2,"1","A",{"\\n":1,"\\n":2}]', Call("1", "A", {"\n": 2}, "an empty name")),
        # Not one name twice: in two objects; a colon in a text; one that is written as an escape.
        (
            '[2,"1:","A",{"a":{"b":":::"},"c":{"b":1}}]',
            Call("1:", "A", {"a": {"b": ":::"}, "c": {"b": 1}}),
        ),
        ('[2,"1","A",{"a":"\\u003a"}]', Call("1", "A", {"a": ":"})),
    ],
)
def test_a_frame_is_read_as_what_it_is(text: str, frame: object) -> None:
    """The usual ones, and white space where nobody expects it."""
    assert parse(text) == frame


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("", Malformed("not JSON: {} (character 0)")),
        ("hello", Malformed("not JSON: {} (character 0)")),
        ("[", Malformed("not JSON: {} (character 1)")),
        ('[2,"1"', Malformed("not JSON: {} (character 6)", 2, "1", "", "1")),
        (
            '[2,"1","Heartbeat",{',
            Malformed("not JSON: {} (character 20)", 2, "1", "Heartbeat", "1"),
        ),
        # AEFA Home
        (
            '[2,"1","StopTransaction",{"transactionId":,"meterStop":1}]',
            Malformed("not JSON: {} (character 42)", 2, "1", "StopTransaction", "1"),
        ),
        # Grizzl-E 5.x
        ('[3,"1",{"configurationKey":[]', Malformed("not JSON: {} (character 29)", 3, "1")),
        ('[4,"1","Generic', Malformed("not JSON: {} (character 15)", 4, "1")),
        # A frame of its own, and half of one: whose is the answer?
        ('[2,"1","A",{}]x', Malformed("not JSON: {} (character 14)", 2, "1", "A", "1")),
        (
            '[2,"1","A",{}][2,"2","A",{}]',
            Malformed("not JSON: {} (character 14)", 2, "1", "A", "1"),
        ),
    ],
)
def test_text_that_is_no_json_is_answered_where_a_call_can_be_seen(
    text: str, frame: Malformed
) -> None:
    """I-01: garbage, halves, and two frames in one."""
    read = parse(text)
    assert isinstance(read, Malformed)
    said, _, place = read.reason.partition(": ")[2].rpartition(" (character ")
    assert said
    assert read == Malformed(
        frame.reason.format(said), frame.kind, frame.unique_id, frame.action, frame.answer_to
    ), place


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("{}", Malformed("not a JSON array")),
        ("null", Malformed("not a JSON array")),
        ("2", Malformed("not a JSON array")),
        ('"[2]"', Malformed("not a JSON array")),
        ("[]", Malformed("an empty array")),
        ("[2]", Malformed(BAD_ID, 2, "", "", "-1")),
        ('[2,"1"]', Malformed("a Call has four elements", 2, "1", "", "1")),
        ('[2,"1","Reset"]', Malformed("a Call has four elements", 2, "1", "Reset", "1")),
        ('[2,"1",7]', Malformed("a Call has four elements", 2, "1", "", "1")),
        (
            '[2,"1","A",{},{},{},{},{},{},{}]',
            Malformed("a Call has four elements", 2, "1", "A", "1"),
        ),
        ('[2,"1",null,{}]', Malformed("the action is not a string", 2, "1", "", "1")),
        ('[2,"1",["A"],{}]', Malformed("the action is not a string", 2, "1", "", "1")),
        ("[3]", Malformed(BAD_ID, 3)),
        ('[3,"1"]', Malformed("a CALLRESULT has three elements", 3, "1")),
        ('[3,"1",{},{}]', Malformed("a CALLRESULT has three elements", 3, "1")),
        ('[4,"1"]', Malformed("a CALLERROR has five elements", 4, "1")),
        ('[4,"1","a","b",{},6]', Malformed("a CALLERROR has five elements", 4, "1")),
    ],
)
def test_json_that_is_no_frame_says_why(text: str, frame: Malformed) -> None:
    """I-02: not an array, too few elements, too many."""
    assert parse(text) == frame


@pytest.mark.parametrize("kind", ["0", "1", "5", "7", '"2"', "2.0", "true", "null", "[2]", "-2"])
def test_an_unknown_message_type_is_ignored(kind: str) -> None:
    """I-03; OCPP-J 1.6, 4.1.3."""
    assert parse(f'[{kind},"1","Heartbeat",{{}}]') == Malformed("unknown message type")


@pytest.mark.parametrize(
    ("unique_id", "kept"),
    [
        # Phihong's counter before 36 characters of text (mobilityhouse/ocpp#230).
        (f'"{"x" * 37}"', "x" * 37),
        (f'"{"x" * 64}"', "x" * 64),
        (f'"{"x" * 65}"', "x" * 64),
        (f'"{"x" * 1000}"', "x" * 64),
        ("17", "17"),
        ("-1", "-1"),
        ("1.5", "1.5"),
        ('""', ""),
        ('"a\\r\\nb"', "ab"),
        ('"\\u001b[31m"', "[31m"),
        ('"\\u007f"', ""),
    ],
)
def test_an_odd_unique_id_is_answered_as_it_came(unique_id: str, kept: str) -> None:
    """I-04: a charger looks for the id that it sent; the log has what fits, and no line ends."""
    call = parse(f'[2,{unique_id},"Heartbeat",{{}}]')
    assert isinstance(call, Call)
    assert call.unique_id == kept
    assert write_result(call.answer_to, {}) == f"[3,{unique_id},{{}}]".replace("\\u007f", "\x7f")


@pytest.mark.parametrize(
    ("unique_id", "answer_to"),
    [
        ("null", "-1"),
        ("true", "-1"),
        ("{}", "-1"),
        ('["x"]', "-1"),
        (f'"{"x" * 1_000_000}"', "x" * 1000),
    ],
)
def test_an_id_that_is_none_is_refused(unique_id: str, answer_to: str) -> None:
    """I-04; where nothing can be read: "-1", as OCPP-J 2.0.1, 4.2.3 has it."""
    read = parse(f'[2,{unique_id},"Heartbeat",{{}}]')
    kept = "" if answer_to == "-1" else answer_to[:64]
    assert read == Malformed(BAD_ID, 2, kept, "", answer_to)


@pytest.mark.parametrize("unique_id", ["null", "17", '""', f'"{"x" * 65}"'])
def test_an_answer_with_a_bad_unique_id_is_not_answered(unique_id: str) -> None:
    """I-04: silence, or two stations would send errors to each other for ever."""
    assert parse(f"[3,{unique_id},{{}}]") == Malformed(BAD_ID, 3)


@pytest.mark.parametrize("action", ["__class__", "x" * 10_000, "heartbeat", "Heartbeat\\u0007"])
def test_an_action_is_only_a_word(action: str) -> None:
    """I-05: nothing is looked up by it."""
    read = parse(f'[2,"1","{action}",{{}}]')
    assert read == Call("1", action.replace("\\u0007", "\x07"), {})


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", DIGITS, "01", "+1", ".5", "0x1"]
)
def test_what_is_no_number_is_no_json(number: str) -> None:
    """I-08 and I-10: Python's own reader takes most of these."""
    read = parse(f'[2,"1","MeterValues",{{"a":{number}}}]')
    assert isinstance(read, Malformed)
    assert (read.kind, read.unique_id, read.action, read.answer_to, read.code) == (
        2,
        "1",
        "MeterValues",
        "1",
        FORMATION,
    )
    assert read.reason.startswith("not JSON: ")


@pytest.mark.parametrize("depth", [101, 300, 1000, 1024, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused_at_any_depth(depth: int, opening: str) -> None:
    """I-09: whoever reads on would run into a recursion limit, some at 255, some at 1,000."""
    closing = "]" if opening == "[" else "}"
    inner = f"{opening * depth}1{closing * depth}"
    read = parse(f'[2,"1","DataTransfer",{inner}]')
    assert isinstance(read, Malformed)
    assert (read.kind, read.unique_id, read.action, read.answer_to, read.code) == (
        2,
        "1",
        "DataTransfer",
        "1",
        FORMATION,
    )
    half = parse(f'[3,"1",{inner}]')
    assert isinstance(half, Malformed)
    assert (half.kind, half.unique_id, half.answer_to) == (3, "1", None)


def test_deep_nesting_with_a_nul_in_it_is_refused_too() -> None:
    """The NUL is taken out by a walk through the document, which must not meet the depth."""
    read = parse('[2,"1","A",' + "[" * 900 + '"\\u0000"' + "]" * 900 + "]")
    assert isinstance(read, Malformed)
    assert read.answer_to == "1"


def test_many_values_side_by_side_are_no_depth() -> None:
    """I-15: ten thousand samples are flat."""
    samples = ",".join(['{"value":"1"}'] * 10_000)
    read = parse(f'[2,"1","MeterValues",{{"meterValue":[{{"sampledValue":[{samples}]}}]}}]')
    assert isinstance(read, Call)
    assert read.payload == {"meterValue": [{"sampledValue": [{"value": "1"}] * 10_000}]}


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ('{"a":"x\\u0000y"}', {"a": "xy"}),
        ('{"\\u0000a":["\\u0000"]}', {"a": [""]}),
        ('{"a":"\\\\u0000"}', {"a": "\\u0000"}),
        ('{"a":"\\ud800"}', {"a": "\ufffd"}),
        ('{"a":"\\udc00\\ud800"}', {"a": "\ufffd\ufffd"}),
        ('{"a":"\\uD83D\\uDE00 \\uD83D"}', {"a": "\U0001f600 \ufffd"}),
        ('{"a":"\\ud800\\u0000"}', {"a": "\ufffd"}),
        ('{"a":"é😀٣"}', {"a": "é😀٣"}),
    ],
)
def test_what_no_database_can_store_is_taken_out(text: str, payload: object) -> None:
    """I-11 and I-12: NUL characters and lone surrogates; everything else stays."""
    assert parse(f'[2,"1","A",{text}]') == Call("1", "A", payload)


def test_a_unique_id_loses_its_nul() -> None:
    """I-11."""
    assert parse('[2,"a\\u0000b","A",{}]') == Call("ab", "A", {})


def test_a_raw_nul_is_kept_in_readable_form() -> None:
    """I-11: JSON forbids control characters in strings, and Postgres has no NUL."""
    assert storable("a\x00b") == "a\\u0000b"
    assert storable("ab") == "ab"


def test_integers_beyond_64_bits_are_read_as_floats() -> None:
    """I-13: no harm, and no exception; ranges are the handlers' business."""
    assert parse('[2,"1","A",{"a":9223372036854775807,"b":18446744073709551616}]') == Call(
        "1", "A", {"a": 2**63 - 1, "b": 2.0**64}
    )


def test_frames_are_written_compact() -> None:
    """Small chargers have small buffers."""
    assert write_call("1", "Reset", {"type": "Soft"}) == '[2,"1","Reset",{"type":"Soft"}]'
    assert write_result("1", {"status": "Accepted"}) == '[3,"1",{"status":"Accepted"}]'
    assert write_error("1", ErrorCode.GENERIC_ERROR, "x" * 300) == (
        f'[4,"1","GenericError","{"x" * 255}",{{}}]'
    )
    assert write_error("1", "InternalError") == '[4,"1","InternalError","",{}]'


def test_error_codes_are_spelled_as_in_ocpp_1_6() -> None:
    """OCPP-J 1.6, table 7: with its "Occurence"."""
    assert {str(code) for code in ErrorCode} == {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    }


BENY = (
    '[2,"9lmha8x27fuad8cemfzn5bxr","MeterValues",{"connectorId":1,"transactionId":1707206943,'
    '"meterValue":[{"timestamp":"2024-02-06T08:09:37Z","sampledValue":[,{"value":"139955",'
    '"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","format":"Raw",'
    '"unit":"Wh"},{"value":"0","measurand":"Power.Active.Import","format":"Raw","unit":"W"}]}]}]'
)


def test_a_comma_before_the_first_sample_loses_no_register() -> None:
    """BENY, as captured (lbbrhzn/ocpp#1078)."""
    read = parse(BENY)
    assert isinstance(read, Call)
    assert read.repaired == "a comma too many"
    values = [item["value"] for item in read.payload["meterValue"][0]["sampledValue"]]
    assert values == ["139955", "0"]


@pytest.mark.parametrize(
    ("text", "payload", "what"),
    [
        ('[2,"1","A",{"a":[1,2,]}]', {"a": [1, 2]}, "a comma too many"),
        ('[2,"1","A",{"a":1,}]', {"a": 1}, "a comma too many"),
        ('[2,"1","A",{,"a":1,,"b":2}]', {"a": 1, "b": 2}, "a comma too many"),
        ('[2,"1","A",{"a":1},]', {"a": 1}, "a comma too many"),
        ('[2,"1","A",{"a":[,]}]', {"a": []}, "a comma too many"),
        ('[2,"1","A",{"a":[{} {}]}]', {"a": [{}, {}]}, "a comma is missing"),
        ('[2,"1","A",{"a":"x\x00\x00"}]', {"a": "x"}, "control characters in a text"),
        ('[2,"1","A",{"a":"x\ny\t"}]', {"a": "x\ny\t"}, "control characters in a text"),
        ('[2,"1","A",{}]\x00\x00', {}, "control characters between its parts"),
        ('\ufeff[2,"1","A",{}]', {}, "control characters between its parts"),
        ('[2,"1","A",{}', {}, "the last bracket is missing"),
        ('[2,"1","A",{}]]', {}, "closing brackets too many"),
        (
            '[2,"1","A",{"a":"\\ud800\x01"}]',
            {"a": "\ufffd\x01"},
            "control characters in a text",
        ),
    ],
)
def test_json_with_one_meaning_is_read(text: str, payload: object, what: str) -> None:
    """I-01: a slip of the pen in firmware that builds JSON by hand."""
    assert parse(text) == Call("1", "A", payload, repaired=what)


@pytest.mark.parametrize(
    "text",
    [
        '[2,"1","A",{"a":}]',
        '[2,"1","A",{"a":,"b":1}]',  # AEFA: which value?
        '[2,"1","A",{"a"}]',
        '[2,"1","A",{"a" "b"}]',
        '[2,"1","A",{"a":1 "b":2}]',
        '[2,"1","A",{"a":"x "y" z"}]',
        '[2,"1","A",{"a":[1',
        '[2,"1","A",{"a":[1]',
        '[2,"1","A",{"a":"x',
        '[2,"1","A"',
        '[2,"1",,{}]',
        '[2,"1","A",{}][2,"2","A",{}]',
        '[2,"1","A",{]}',
        '[2,"1","A",{"a":NaN}]',
        "[2,'1','A',{}]",
    ],
)
def test_json_whose_meaning_is_in_doubt_is_not_guessed(text: str) -> None:
    assert isinstance(parse(text), Malformed)


def test_an_answer_with_raw_nuls_ends_its_command() -> None:
    """Wallbe Pro (evcc#3685): a value of a configuration key that nobody has written to."""
    text = '[3,"1",{"configurationKey":[{"key":"MeterSerial","readonly":true,"value":"\x00\x00"}]}]'
    read = parse(text)
    assert isinstance(read, CallResult)
    assert read.payload["configurationKey"][0]["value"] == ""


def test_a_frame_of_8_mib_that_is_no_json_is_done_with_in_one_pass() -> None:
    """Each character is looked at a fixed number of times."""
    pieces = {"[": 0, "{": 0, ",": 0, '"': 0, "\x00": 0, '[2,"1","A",{"a":[,': 0, '\\"': 0}
    for piece in pieces:
        assert isinstance(parse(piece * (1_000_000 // len(piece))), Malformed)


def test_eight_mebibytes_of_brackets_are_not_read_to_their_end() -> None:
    """One such frame kept everybody out for 84 seconds: it was mended sign by sign, for longer than
    a frame may take, twice, and once more when the edge had waited for long enough."""
    deep = '[2,"1","A",{"a":' + "[" * 200 + "1," + "]" * 200 + "}]"
    assert repaired(deep) is None
    assert repaired('[2,"1","A",{"a":[1,2,],}]') is not None
    assert repaired('[2,"1","A",{"a":[1,2,],}]', most_tokens=19) is not None
    assert repaired('[2,"1","A",{"a":[1,2,],}]', most_tokens=18) is None
    assert repaired('[2,"1","A",{"a":[' + "," * 50, most_tokens=30) is None


@pytest.mark.parametrize("deepest", ["1", "", '"x"'])
def test_a_frame_may_be_a_hundred_deep(deepest: str) -> None:
    for depth, kind in ((98, Call), (99, Malformed)):
        text = '[2,"1","A",{"a":' + "[" * depth + deepest + "]" * depth + "}]"
        assert type(parse(text)) is kind


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\\ud83d", "\\" + "ud83d"),
        (r"\\\ud83d", "\\" + "\ufffd"),
        (r"\\\\ud83d\ud83d", r"\\ud83d" + "\ufffd"),
        (r"\ud83d\\ude00", "\ufffd" + "\\" + "ude00"),
        (r"\ud83d\ude00\ude00", "\U0001f600\ufffd"),
    ],
)
def test_only_half_a_pair_is_one_however_many_backslashes_stand_before_it(
    written: str, read: str
) -> None:
    """8 MiB of backslashes behind one half were looked at one by one, for three seconds."""
    frame = parse(f'[2,"1","A",{{"a":"{written}","half":"{chr(92)}ud83d"}}]')
    assert isinstance(frame, Call)
    assert frame.payload == {"a": read, "half": "\ufffd"}
