"""The picture and the table of the demo's page."""

import re
from html import unescape
from xml.etree import ElementTree

from benchmarks.demo_picture import PAGE, PICTURE, picture, table
from gateway.demo import TASKS, StoreTerms
from gateway.demo.report import Result
from gateway.demo.tally import Figures, Side

FIGURES = {
    Side.REST: Figures(250, 50, 0, 6.5, 200, 0, 0),
    Side.GATEWAY: Figures(1, 0, 149, 1.5, 200, 0, 0),
}
RESULTS = [Result(task, FIGURES, is_same=True) for task in TASKS]
ADDRESS = re.compile(r"\bhttps?://[^\s\"<&]+")


def test_picture_is_an_svg_that_asks_no_host() -> None:
    drawn = picture(RESULTS, StoreTerms())
    for svg in (drawn, PICTURE.read_text(encoding="utf-8")):
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        # The namespace, and what the last lines say.
        assert set(ADDRESS.findall(svg)) == {
            "http://www.w3.org/2000/svg",
            "http://127.0.0.1:8000/graphql",
        }
        assert not re.search(r"url\((?!#)|@font-face|@import", svg)


def test_picture_of_the_page_has_each_task_and_both_bars() -> None:
    svg = unescape(PICTURE.read_text(encoding="utf-8")).replace("\N{NO-BREAK SPACE}", " ")
    for task in TASKS:
        assert task.title in svg
        assert task.short_title in svg
    assert svg.count("quota left") == 2 * len(TASKS)


def test_table_of_the_page_has_a_row_for_each_task() -> None:
    row = "| The same page for 200 clients at once | 250 | 1 | 6.5 | 1.5 | 0 | 149 |"
    assert row in table(RESULTS).splitlines()
    page = PAGE.read_text(encoding="utf-8")
    assert [task.title for task in TASKS if f"| {task.title} |" not in page] == []
