"""A DELETE without ids cannot be built."""

import pytest

from gateway.bigcommerce.ids import Ids
from gateway.bigcommerce.protocol import Request

ID = "00000000-0000-4000-8000-00000000000a"


def test_ids_are_uuids_in_lower_case() -> None:
    assert Ids([ID.upper(), ID]) == (ID, ID)
    assert str(Ids([ID, ID])) == f"{ID},{ID}"


@pytest.mark.parametrize(
    "ids", [[], [""], [ID, ""], [f"{ID},"], [f" {ID}"], ["*"], ID, [None], [7]]
)
def test_anything_else_is_refused(ids: list[str]) -> None:
    with pytest.raises(ValueError, match=r"[Ii]d"):
        Ids(ids)


@pytest.mark.parametrize(
    "query",
    [
        (),
        (("id:in", ""),),
        (("id:in", ","),),
        (("id:in", f"{ID},"),),
        (("id", ID),),
        (("id:in", ID), ("id:in", "")),
        (("id:in", ID), ("limit", "50")),
    ],
)
def test_a_delete_needs_ids(query: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match=r"DELETE|id"):
        Request("delete_segments", "DELETE", "/segments", query)


@pytest.mark.parametrize("method", ["delete", "Delete", "PATCH", "", " DELETE"])
def test_no_other_method_is_sent(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        Request("delete_segments", method, "/segments")
