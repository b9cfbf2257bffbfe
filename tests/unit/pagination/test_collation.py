import sys

import pytest

from gateway.pagination import folded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("VIP Customers", "vip customers"),
        ("Élan", "elan"),
        ("E\N{COMBINING ACUTE ACCENT}lan", "elan"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁrst", "first"),
        ("İstanbul", "istanbul"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("Σίσυφος", "σισυφοσ"),
        ("a\N{NO-BREAK SPACE}b", "a b"),
        ("日本", "日本"),
    ],
)
def test_case_accents_and_forms_do_not_count(text: str, expected: str) -> None:
    assert folded(text) == expected


def test_folded_text_stays_as_it_is() -> None:
    """For each character of Unicode."""
    texts = (chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000)
    changed = [text for text in texts if folded(folded(text)) != folded(text)]
    assert changed == []
