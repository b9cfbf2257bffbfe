import pytest

from gateway.web.negotiation import GRAPHQL_RESPONSE, HTML, JSON, LONGEST_ACCEPT, choose_media_type

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        (" , ", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (GRAPHQL_RESPONSE.upper(), GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}; charset=utf-8", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, {JSON};q=0.9", GRAPHQL_RESPONSE),
        (f"{JSON};q=0.9,{GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{JSON};q=0.5, {GRAPHQL_RESPONSE};q=0.4", JSON),
        (f"{GRAPHQL_RESPONSE}, {JSON}", GRAPHQL_RESPONSE),
        (f"{JSON}, {GRAPHQL_RESPONSE}", JSON),
        (f"*/*, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"*/*, {JSON};q=0", GRAPHQL_RESPONSE),
        (f"{JSON};q=0", None),
        (f"{JSON};q=nonsense", None),
        (f"{JSON};q=nan", None),
        ("text/plain, image/*", None),
        ("garbage", None),
        (BROWSER, JSON),
    ],
)
def test_media_type_is_the_one_that_accept_prefers(accept: str, chosen: str | None) -> None:
    assert choose_media_type(accept, (JSON, GRAPHQL_RESPONSE)) == chosen


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [(BROWSER, HTML), ("*/*", JSON), ("text/*", HTML), (f"{JSON}, {HTML};q=0.1", JSON)],
)
def test_html_is_chosen_only_where_accept_names_it(accept: str, chosen: str) -> None:
    assert choose_media_type(accept, (JSON, GRAPHQL_RESPONSE, HTML)) == chosen


def test_accept_over_1000_characters_is_disregarded() -> None:
    longest = f"{GRAPHQL_RESPONSE}, ".ljust(LONGEST_ACCEPT, "x")
    assert choose_media_type(longest, (JSON, GRAPHQL_RESPONSE)) == GRAPHQL_RESPONSE
    assert choose_media_type(longest + "x", (JSON, GRAPHQL_RESPONSE)) == JSON
