"""The answers to writes, in both published dialects and in what else may come."""

from typing import Any

import msgspec
import pytest

from gateway.bigcommerce.ids import Ids
from gateway.bigcommerce.protocol import Answer
from gateway.bigcommerce.write_errors import WriteRefusal
from gateway.bigcommerce.writes import (
    ItemStatus,
    Write,
    add_segment_shopper_profiles,
    create_segments,
    create_shopper_profiles,
    delete_segments,
    delete_shopper_profiles,
    members_path,
    read_write,
    remove_segment_shopper_profiles,
    update_segments,
)
from gateway.errors import (
    RateLimited,
    UpstreamForbidden,
    UpstreamUnavailable,
    UpstreamUnreadable,
)

IDS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(4)]
SEGMENT = "dfada416-eba1-49cf-ad21-0f48b48d50ad"
TAKEN = {
    "data": [],
    "errors": [
        {
            "status": 409,
            "title": "Cannot have multiple segments with the same name",
            "type": "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes",
            "errors": {},
        }
    ],
    "meta": {"total": 1, "success": 0, "failed": 1},
}


def create(*names: str) -> Write[Any]:
    return create_segments([(name, None) for name in names])


def read(write: Write[Any], status: int, body: object = None) -> list[str]:
    """The status of each item, with the name or the id of a row, or the field of a refusal."""
    raw = b"" if body is None else msgspec.json.encode(body)
    shown = []
    for result in read_write(write, Answer(status, {}, raw)):
        text = result.status.name.lower()
        if result.row is not None:
            text += f" {getattr(result.row, 'name', None) or result.row.id}"
        if result.refusal is not None and result.refusal.field is not None:
            text += f" {result.refusal.field}"
        shown.append(text)
    return shown


def rows(*names: str) -> list[dict[str, object]]:
    return [{"id": IDS[n], "name": name} for n, name in enumerate(names)]


def test_requests_have_the_bodies_and_ids_that_are_documented() -> None:
    ids = Ids(IDS[:2])
    built: list[Write[Any]] = [
        create_segments([("a", None), ("b", "second")]),
        update_segments({IDS[0]: {"name": "a"}, IDS[1]: {"description": None}}),
        delete_segments(ids),
        create_shopper_profiles([7, 8]),
        delete_shopper_profiles(ids),
        add_segment_shopper_profiles(SEGMENT, ids),
        remove_segment_shopper_profiles(SEGMENT, ids),
    ]
    named = (("id:in", f"{IDS[0]},{IDS[1]}"),)
    members = f"/segments/{SEGMENT}/shopper-profiles"
    assert [(one.request.method, one.request.path, one.request.query) for one in built] == [
        ("POST", "/segments", ()),
        ("PUT", "/segments", ()),
        ("DELETE", "/segments", named),
        ("POST", "/shopper-profiles", ()),
        ("DELETE", "/shopper-profiles", named),
        ("POST", members, ()),
        ("DELETE", members, named),
    ]
    assert [msgspec.json.decode(one.request.body) for one in built if one.request.body] == [
        [{"name": "a"}, {"name": "b", "description": "second"}],
        [{"id": IDS[0], "name": "a"}, {"id": IDS[1], "description": None}],
        [{"customer_id": 7}, {"customer_id": 8}],
        [*ids],
    ]
    assert [one.request.operation for one in built] == [
        "create_segments",
        "update_segments",
        "delete_segments",
        "create_shopper_profiles",
        "delete_shopper_profiles",
        "add_segment_shopper_profiles",
        "remove_segment_shopper_profiles",
    ]
    assert [one.keys for one in built[:4]] == [("a", "b"), ids, ids, ("7", "8")]


def test_nothing_is_built_of_nothing() -> None:
    for build in (lambda: create_segments([]), lambda: create_shopper_profiles([])):
        with pytest.raises(ValueError, match="item"):
            build()
    with pytest.raises(ValueError, match="id"):
        update_segments({})
    with pytest.raises(ValueError, match="uuid"):
        members_path("../customers")


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("extra", [{"meta": {}}, {}, {"errors": [], "meta": {"success": 2}}])
def test_rows_are_those_of_their_items(status: int, extra: dict[str, object]) -> None:
    body = {"data": rows("b", "a"), **extra}
    assert read(create("a", "b"), status, body) == ["done a", "done b"]


def test_names_that_the_store_has_changed_are_taken_in_order() -> None:
    assert read(create("a  a", "b  b"), 201, {"data": rows("a a", "b b")}) == [
        "done a a",
        "done b b",
    ]
    assert read(create("a  a", "b"), 201, {"data": rows("a a")}) == ["unknown", "unknown"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (204, None),
        (200, None),
        (200, {"data": []}),
        (200, {"data": [], "errors": [], "meta": {"total": 2, "success": 2, "failed": 0}}),
        (200, {"data": None, "errors": {}}),
    ],
)
def test_deletions_are_done_without_rows(status: int, body: object) -> None:
    assert read(delete_segments(Ids(IDS[:2])), status, body) == ["done", "done"]


def test_a_success_without_rows_says_that_it_was_done_alone() -> None:
    assert read(create("a", "b"), 204) == ["done", "done"]


def test_a_missing_row_among_others_is_unclear() -> None:
    assert read(create("a", "b"), 201, {"data": rows("a")}) == ["done a", "unknown"]
    body = {"data": rows("a"), "meta": {"total": 2, "success": 2, "failed": 0}}
    assert read(create("a", "b"), 201, body) == ["done a", "unknown"]


def test_partial_success_names_what_failed() -> None:
    errors = [{"status": 422, "title": "Not valid", "errors": {"1.name": "empty"}}]
    body = {
        "data": rows("a", "c"),
        "errors": errors,
        "meta": {"total": 3, "success": 2, "failed": 1},
    }
    for status in (422, 200):
        assert read(create("a", "b", "c"), status, body) == ["done a", "refused name", "done c"]


def test_what_a_partial_success_does_not_name_is_what_is_left() -> None:
    body = {"data": rows("a", "c"), "errors": [{"status": 422, "title": "Not valid"}]}
    assert read(create("a", "b", "c"), 422, body) == ["done a", "refused", "done c"]
    assert read(create("a", "b", "c", "d"), 422, body) == ["done a", "unknown", "done c", "unknown"]


def test_partial_deletion_is_counted() -> None:
    write = delete_segments(Ids(IDS[:3]))
    errors = [{"status": 422, "title": "Not valid", "errors": {"1": "not found"}}]
    for success, other in ((2, "done"), (1, "unknown"), (0, "aborted")):
        meta = {"total": 3, "success": success, "failed": 3 - success}
        body = {"data": [], "errors": errors, "meta": meta}
        assert read(write, 422, body) == [other, "refused", other]


def test_a_refusal_that_names_no_item_is_of_the_whole_request() -> None:
    assert read(create("a"), 409, TAKEN) == ["refused"]
    assert read(create("a", "b"), 409, TAKEN) == ["aborted", "aborted"]
    for body in (None, {}, {"status": 400, "title": "Bad", "errors": {}}, ["odd"], "odd"):
        assert read(create("a", "b"), 400, body) == ["aborted", "aborted"]


def test_an_item_that_is_named_is_at_fault_and_the_others_are_not() -> None:
    body = {"status": 400, "title": "Bad", "errors": {"1.name": "must be text"}}
    assert read(create("a", "b", "c"), 400, body) == ["aborted", "refused name", "aborted"]
    body = {"status": 400, "title": "Bad", "errors": {"name": "must be text"}}
    assert read(create("a"), 400, body) == ["refused name"]
    body = {"status": 400, "title": "Bad", "errors": {"7": "there is no such item"}}
    assert read(create("a", "b"), 400, body) == ["aborted 7", "aborted 7"]


def test_a_profile_is_named_by_its_id_whatever_its_index() -> None:
    text = f"Shopper profile `{IDS[2].upper()}` already exists for segment `{SEGMENT}`."
    error = {
        "status": 409,
        "title": "Unable to add shopper profiles to segment due to conflicts.",
        "errors": {"0": text},
    }
    body = {"data": [], "errors": [error], "meta": {"total": 3, "success": 0, "failed": 3}}
    write = add_segment_shopper_profiles(SEGMENT, Ids(IDS[:3]))
    answer = Answer(409, {}, msgspec.json.encode(body))
    results = read_write(write, answer)
    assert [one.status for one in results] == [
        ItemStatus.ABORTED,
        ItemStatus.ABORTED,
        ItemStatus.REFUSED,
    ]
    assert results[2].refusal == WriteRefusal(409, f"{error['title']} {text}".lower())


def test_an_error_that_is_plain_text_is_read_in_lower_case() -> None:
    answer = Answer(409, {}, b'{"errors": ["The  name is Already TAKEN"]}')
    (result,) = read_write(create("a"), answer)
    assert result.refusal == WriteRefusal(409, "the name is already taken")


def test_the_status_of_a_row_with_an_error_is_unknown() -> None:
    body = {"data": rows("a"), "errors": [{"status": 422, "errors": {"0": "no"}}]}
    assert read(create("a"), 422, body) == ["unknown"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, UpstreamForbidden),
        (403, UpstreamForbidden),
        (429, RateLimited),
        (408, UpstreamUnavailable),
        (302, UpstreamUnavailable),
        (500, UpstreamUnavailable),
    ],
)
def test_other_statuses_are_errors(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(create("a"), status, {})


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data": [', b'"text"', None])
def test_a_success_that_cannot_be_read_is_an_error(body: bytes | None) -> None:
    with pytest.raises(UpstreamUnreadable):
        read_write(create("a"), Answer(201, {}, body))
    assert [one.status for one in read_write(create("a"), Answer(422, {}, body))] == [
        ItemStatus.REFUSED
    ]


@pytest.mark.parametrize(
    "errors",
    [
        "text",
        7,
        [7, None, "text", []],
        {"0": {"deep": {"deeper": 1}}},
        [{"errors": ["a", {"b": "c"}]}],
        [{"status": "x", "title": 5, "errors": {"0": None}}],
    ],
)
def test_odd_errors_are_read_without_harm(errors: object) -> None:
    for status in (200, 422):
        assert len(read(create("a", "b"), status, {"data": [], "errors": errors})) == 2
