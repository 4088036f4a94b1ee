"""Which texts are one id tag: a tag is compared without regard to capitals (OCPP 1.6, 7.28)."""

from string import ascii_lowercase, ascii_uppercase

__all__ = ["spellings"]

A_TO_Z = str.maketrans(ascii_uppercase, ascii_lowercase)


def spellings(id_tag: str) -> set[str]:
    """What a database may make of this tag in lower case, and of the same in capitals.

    SQLite (and Postgres in the locale C) leaves all but A to Z as it is: its ÄPFEL is Äpfel.
    """
    return {id_tag.lower(), id_tag.translate(A_TO_Z), id_tag.upper().translate(A_TO_Z)}
