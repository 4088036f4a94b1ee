"""Cards: lists as other systems give them, and tags as chargers read them."""

import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management.base import CommandError

from levity.ocpp.models import ChargePoint, IdTag
from tests.field.catalogue import case
from tests.field.charger import Ground

FILES = {
    "a LITE-ON without names": b"0123456789F33,2030-12-31T16:00:00.000,,Accepted\n",
    "a LITE-ON": b"CARD_IDTAG,EXPIRY_DATE,PARENT_CARD_IDTAG,CARD_STATUS\n"
    b"2123456789F33,2030-12-31T16:00:00.000,,Accepted\n",
    "one tag a line": b"3AAF33\n3ABF33\n",
    "SteVe": b"idTag,parentIdTag,expiryDate,maxActiveTransactionCount,note\n5AAF33,,,1,flat 5\n",
    "Excel in German": "id_tag;status;expires_at;owner\n"
    "6AAF33;Accepted;31.12.2030;M\xfcller\n".encode("cp1252"),
    "Excel in German, UTF-8": "\ufeffid_tag;status;expires_at;owner\n"
    "7AAF33;Accepted;31.12.2030;M\xfcller\n".encode(),
    "a number that Excel has spoiled": b"id_tag,owner\n4.11E+13,Anna\n0,Bob\n",
    "Excel's Unicode text": "id_tag\towner\n8AAF33\tAnna\n".encode("utf-16"),
}


@case("c33", "steve#870, LITE-ON's manual, be.ENERGISED's help")
def lists_of_cards_of_other_systems(ground: Ground) -> None:
    """They go in, or one line says what to change; a spoiled number is never taken for a tag."""
    with TemporaryDirectory() as folder:
        for number, content in enumerate(FILES.values()):
            path = Path(folder) / f"{number}.csv"
            path.write_bytes(content)
            # What can't be read is said in a sentence; anything else is a fault.
            with suppress(CommandError, AssertionError, subprocess.CalledProcessError):
                said = ground.levity("import_id_tags", str(path))
                assert "Traceback" not in said
    tags = IdTag.objects.filter(id_tag__contains="E+")
    assert not tags.exists(), tags.values_list("id_tag", flat=True)


@case("c34", "MicroOcpp#73")
def a_tag_with_a_blank_before_it(ground: Ground) -> None:
    """A charger that reads blanks: the card that a person put on the list is accepted."""
    charger = ground.charger("BLK-FIELD34")
    charger.boot()
    ChargePoint.objects.filter(identity=charger.identity).update(authorization="known")
    IdTag.objects.create(id_tag="F6 CA 34 34", owner="Anna")
    said = charger.result("Authorize", {"idTag": "F6 CA 34 34"})
    assert said["idTagInfo"]["status"] == "Accepted"
