"""What measurements write into pages."""

import pytest

from benchmarks.page import conditions, with_marked


def test_marked_text_is_between_its_markers() -> None:
    page = "a\n<!-- bench -->\nold\n<!-- /bench -->\n<!-- other -->\n<!-- /other -->\n"
    assert with_marked(page, "bench", r"\1 new") == (
        "a\n<!-- bench -->\n\\1 new\n<!-- /bench -->\n<!-- other -->\n<!-- /other -->\n"
    )
    assert with_marked(page, "other", "new").endswith("<!-- other -->\nnew\n<!-- /other -->\n")
    with pytest.raises(ValueError, match="the page has no <!-- bench --> … <!-- /bench -->"):
        with_marked("no markers", "bench", "new")


def test_conditions_name_machine_and_versions() -> None:
    assert " core" in conditions()
    assert conditions("httpx").startswith(conditions() + ", httpx 0.")
