"""The verdicts on the public test data of S.A.F.E.'s transparency software.

`safe_data.json.gz`: [file, number of the value in it, signed data, public key] of each OCMF value
in the XML files under `src/test/resources` of github.com/SAFE-eV/transparenzsoftware (Apache
License 2.0; as of 7 July 2025), texts as they stand there.
"""

import gzip
import json
from collections import Counter
from pathlib import Path

from levity.ocpp.rules.signed import ocmf
from levity.ocpp.rules.signed.containers import OCMF, Container, unwrapped
from levity.ocpp.rules.signed.keys import BadKey
from levity.ocpp.rules.signed.readings import BadData
from levity.ocpp.rules.signed.verdict import Verdict, judge, session_of
from tests.ocpp.rules.signed.samples import AT

DATA = json.loads(gzip.decompress((Path(__file__).parent / "safe_data.json.gz").read_bytes()))
DOES_NOT_VERIFY = {
    ("test.xml", 1),
    ("test_ocmf_keba_kcp30_fail.xml", 0),
    ("test_ocmf_ebee_02.xml", 0),
    ("second_key_fail_ocmf.xml", 1),
    ("OCMF-receipt-with_import_and_export.xml", 0),
    ("OCMF-receipt-with_publickey_and_data.xml", 0),
}
CANNOT_BE_CHECKED = {
    ("log4j_test1.xml", 0): "neither hexadecimal digits nor base64",
    ("log4j_test2.xml", 0): "neither hexadecimal digits nor base64",
    ("log4j_test3.xml", 0): "signature (SD) is not what its encoding says",
    ("signature_16955306_ALL.xml", 0): "no public key",
    ("signature_16955306_ALL.xml", 1): "no public key",
    ("test_ocmf_transaction_two_values.xml", 0): "secp192k1",
    ("test_ocmf_transaction_two_values.xml", 1): "secp192k1",
}


def test_each_value_has_the_verdict_that_is_known_of_it():
    found: Counter[Verdict] = Counter()
    for file, number, text, key in DATA:
        container = unwrapped(text)
        assert container is not None
        judged = judge(Container(container.format, container.text, key), AT, "", ())
        found[judged.verdict] += 1
        place = file, number
        assert (judged.verdict is Verdict.FAILS) == (place in DOES_NOT_VERIFY), place
        assert (judged.verdict is Verdict.UNCHECKED) == (place in CANNOT_BE_CHECKED), place
        assert CANNOT_BE_CHECKED.get(place, "") in judged.why
    assert found == {Verdict.SELF_ASSERTED: 243, Verdict.FAILS: 6, Verdict.UNCHECKED: 7}


def test_each_value_can_be_read_and_says_energy():
    for file, number, text, _ in DATA:
        container = unwrapped(text)
        assert container is not None
        assert container.format == OCMF
        assert ocmf.read(container.text).readings or file.startswith("OCMF-receipt"), (file, number)


def test_a_transaction_comes_to_what_its_registers_say():
    found = {}
    for file in ("VW_OCMF_load.xml", "chargepoint_3.xml", "Ocmf_Example_OBIS_98.8.0_2.8.0.xml"):
        [(text, key)] = [(text, key) for name, _, text, key in DATA if name == file]
        container = unwrapped(text)
        assert container is not None
        judged = judge(Container(OCMF, container.text, key), AT, "", ())
        found[file] = session_of([judged]).wh
    assert found == {
        "VW_OCMF_load.xml": 1101,
        "chargepoint_3.xml": 1304,
        "Ocmf_Example_OBIS_98.8.0_2.8.0.xml": 1000,
    }


def test_one_changed_sign_of_the_payload_is_noticed():
    text, key = next((text, key) for file, _, text, key in DATA if file == "fromweb.xml")
    assert ocmf.verify(text.strip(), key)
    at = text.index('"RV"') + 6
    for sign in "0123456789":
        changed = text[:at] + sign + text[at + 1 :]
        if changed != text:
            try:
                assert not ocmf.verify(changed.strip(), key)
            except (BadData, BadKey):
                continue
