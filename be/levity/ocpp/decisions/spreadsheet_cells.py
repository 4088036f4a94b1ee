"""Cells that no spreadsheet takes for formulas, and that are read back as they were."""

__all__ = [
    "plain_cell",
    "safe_cell",
    "safe_tag_cell",
    "tag_in_cell",
]


# A cell that begins so is a formula in a spreadsheet (OWASP, CSV injection).
FORMULA_STARTS = (*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20")
# Behind these a new cell begins where the spreadsheet's separator is another one than ours, as in
# Excel where numbers have a decimal comma: there quotes don't hold together what we wrote.
CELL_ENDS = ";\t\r\n"


def safe_cell(text: str) -> str:
    """A text that a spreadsheet takes for text; `plain_cell` gives it back as it was.

    Also behind each sign that may end a cell: `a;=1+1;b` becomes `a;'=1+1;b`.
    """
    return _quoted(text, is_start=True)


def _quoted(text: str, is_start: bool) -> str:
    signs = []
    for at, sign in enumerate(text):
        if is_start and (sign in FORMULA_STARTS or _is_quote(text, at)):
            signs.append("'")
        signs.append(sign)
        is_start = sign in CELL_ENDS
    return "".join(signs)


def plain_cell(text: str, is_start: bool = True) -> str:
    """The text that `safe_cell` has made safe, as it was."""
    signs: list[str] = []
    is_kept = False
    for at, sign in enumerate(text):
        if is_start and not is_kept and _is_quote(text, at):
            is_kept = True
            continue
        signs.append(sign)
        is_start, is_kept = sign in CELL_ENDS, False
    return "".join(signs)


def _is_quote(text: str, at: int) -> bool:
    """Whether here is a ' that was put before a sign, or could be taken for one."""
    following = text[at + 1 : at + 2]
    return text[at] == "'" and (following == "'" or following in FORMULA_STARTS)


def safe_tag_cell(id_tag: str) -> str:
    """The same for a tag, and a mark that blanks around it are a part of it; see `tag_in_cell`."""
    is_marked = _is_padded(id_tag) or (id_tag.startswith("'") and _is_padded(id_tag[1:]))
    return f"'{_quoted(id_tag, is_start=False)}" if is_marked else safe_cell(id_tag)


def tag_in_cell(cell: str) -> str:
    """The tag in this cell.

    Blanks around it are a slip of a person's, and no charger would send them; where one does, the
    export has put a ' before them.
    """
    if cell.startswith("'") and _is_padded(cell[1:]):
        return plain_cell(cell[1:], is_start=False)
    if cell and _is_quote(cell, 0):
        return plain_cell(cell)
    return plain_cell(cell.strip(), is_start=False)


def _is_padded(text: str) -> bool:
    return text != text.strip()
