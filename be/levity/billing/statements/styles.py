"""How statements look: the styles of their paragraphs, in one family of fonts."""

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from levity.billing.statements.fonts import DEJAVU, FOLDER, Face

__all__ = ["Styles"]


class Styles:
    """One for each statement; DejaVu's files are read when a statement needs them."""

    def __init__(self, face: Face) -> None:
        if face is DEJAVU:
            for name in (face.regular, face.bold):
                pdfmetrics.registerFont(TTFont(name, str(FOLDER / f"{name}.ttf")))
        self._face = face
        self.text = self._style("text", 9, 12)
        self.small = self._style("small", 7.5, 9.5)
        self.right = self._style("right", 7.5, 9.5, alignment=TA_RIGHT)
        self.head = self._style("head", 7.5, 9.5, bold=True)
        self.head_right = self._style("head right", 7.5, 9.5, bold=True, alignment=TA_RIGHT)
        self.title = self._style("title", 16, 20, bold=True)
        self.section = self._style("section", 11, 12, bold=True, spaceBefore=10, spaceAfter=4)
        self.bold = self._style("bold", 9, 12, bold=True, alignment=TA_RIGHT)

    def _style(
        self, name: str, size: float, leading: float, *, bold: bool = False, **more: float
    ) -> ParagraphStyle:
        face = self._face
        font = face.bold if bold else face.regular
        return ParagraphStyle(
            name, fontName=font, fontSize=size * face.scale, leading=leading, **more
        )
