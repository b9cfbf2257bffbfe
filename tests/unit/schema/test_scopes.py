"""A scope on a field of a type that is reached through another: the same as on a root field."""

import pytest
import strawberry
from strawberry.federation.schema_directives import RequiresScopes

from gateway.errors import BadUserInput, Forbidden
from gateway.identity import AccessScope, Client
from gateway.schema.context import Info
from gateway.schema.scopes import NamesScope, NeedsScope, refuse_each

PROFILES = AccessScope.PROFILES_READ


async def later(root: strawberry.Parent["Row"]) -> str | None:
    return f"later {root.name}"


def now(root: strawberry.Parent["Row"]) -> str | None:
    return f"now {root.name}"


def by_ids(info: Info, ids: list[str]) -> list[str | None]:
    return list(refuse_each(info, PROFILES, ids))  # type: ignore[arg-type] # GraphQL takes errors


@strawberry.type
class Row:
    name: str
    later: str | None = strawberry.field(
        resolver=later, description="Awaited.", extensions=[NeedsScope(PROFILES)]
    )
    now: str | None = strawberry.field(
        resolver=now, description="At once.", extensions=[NeedsScope(PROFILES)]
    )
    by_ids: list[str | None] = strawberry.field(
        resolver=by_ids, description="By ids.", extensions=[NamesScope(PROFILES)]
    )


@strawberry.type
class Query:
    @strawberry.field
    def rows(self) -> list[Row]:
        return [Row(name="a"), Row(name="b")]


SCHEMA = strawberry.Schema(Query)
ASKED = '{ rows { name later now byIds(ids: ["x", "y"]) } }'


class Context:
    def __init__(self, *scopes: AccessScope) -> None:
        self.client = Client("a", frozenset(scopes))


async def test_without_the_scope_each_is_null_and_its_siblings_are_not() -> None:
    result = await SCHEMA.execute(ASKED, context_value=Context(AccessScope.SEGMENTS_READ))
    nulls = {"later": None, "now": None, "byIds": [None, None]}
    assert result.data == {"rows": [{"name": "a", **nulls}, {"name": "b", **nulls}]}
    assert {tuple(error.path or ()) for error in result.errors or ()} == {
        ("rows", row, *field)
        for row in (0, 1)
        for field in (("later",), ("now",), ("byIds", 0), ("byIds", 1))
    }
    for error in result.errors or ():
        assert isinstance(error.original_error, Forbidden)
        assert "`profiles:read`" in error.message


async def test_with_the_scope_each_has_its_value() -> None:
    result = await SCHEMA.execute(ASKED, context_value=Context(PROFILES))
    assert result.errors is None
    assert result.data == {
        "rows": [
            {"name": name, "later": f"later {name}", "now": f"now {name}", "byIds": ["x", "y"]}
            for name in "ab"
        ]
    }


@pytest.mark.parametrize("field", ["later", "now", "by_ids"])
def test_a_field_of_several_schemas_names_its_scope_once(field: str) -> None:
    strawberry.Schema(Query)
    (definition,) = (
        one
        for one in Row.__strawberry_definition__.fields  # type: ignore[attr-defined]
        if one.python_name == field
    )
    assert definition.description.count("Needs the scope `profiles:read`.") == 1
    directives = [one for one in definition.directives if isinstance(one, RequiresScopes)]
    assert directives == [RequiresScopes(scopes=[["profiles:read"]])]


def test_an_id_that_has_its_error_already_keeps_it() -> None:
    bad = BadUserInput("not an id")

    class Asking:
        context = Context()

    asking: Info = Asking()  # type: ignore[assignment] # only the context is read
    x, kept = refuse_each(asking, PROFILES, ["x", bad])
    assert isinstance(x, Forbidden)
    assert kept is bad
