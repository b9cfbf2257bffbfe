"""The order of names, and what a search in names finds: case and accents do not count."""

from itertools import filterfalse
from unicodedata import combining, normalize


def folded(text: str) -> str:
    """Returns the text by which names are compared and searched.

    It is decomposed (NFKD of UAX 15: https://www.unicode.org/reports/tr15/), its combining marks
    are removed, and it is case-folded (`str.casefold`: Unicode, 3.13). So "Élan", "ELAN" and "elan"
    are one.
    """
    if text.isascii():
        return text.lower()
    return "".join(filterfalse(combining, normalize("NFKD", text))).casefold()
