"""What breaks since the last release is announced: `released/` holds the schema that it had."""

from pathlib import Path

import pytest
from breaking import INSPECTOR, Changes, announced, breaking_changes, complaint
from npm_tools import needs

pytestmark = needs(INSPECTOR)

ROOT = Path(__file__).parents[2]
FILES = ("schema.graphql", "api.graphql")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# The comparison's own cases change these, which stay as they are whatever becomes of the schema.
SUBGRAPH, API = (text(f"tests/contract/data/breaking/{name}") for name in FILES)

NAME = '"""The name, unique in the store. Empty where the upstream sends none."""\n  name: String!'
EDGE = API[API.index('"""A segment at its place') : API.index('"""Information to aid')]
WITH_ENUM = API + "\nenum Order { NEWEST OLDEST }\nextend type Query { order: Order }\n"
DEPRECATED = API.replace("name: String!", 'name: String! @deprecated(reason: "Said twice.")')
SHAREABLE = 'type PageInfo @shareable @tag(name: "shared")'

# Of each: the schema before, what is replaced in it, by what, and the names of what that breaks.
BREAKING = {
    "a field is removed": (API, [(NAME, "")], {"Segment.name"}),
    "a deprecated field is removed": (
        DEPRECATED,
        [(NAME + ' @deprecated(reason: "Said twice.")', "")],
        {"Segment.name"},
    ),
    "a type is removed": (
        API,
        [(EDGE, ""), ("[SegmentEdge!]!", "[Segment!]!")],
        {"SegmentEdge", "SegmentConnection.edges"},
    ),
    "a field becomes nullable": (API, [("name: String!", "name: String")], {"Segment.name"}),
    "a field has another type": (
        API,
        [("totalCount: Int!", "totalCount: String!")],
        {"SegmentConnection.totalCount"},
    ),
    "an argument is removed": (
        API,
        [('"""A cursor that this connection answered."""\n    before: String\n', "")],
        {"Query.segments.before"},
    ),
    "a new argument is required": (
        API,
        [("before: String\n", "before: String\n    order: Int!\n")],
        {"Query.segments.order"},
    ),
    "an argument becomes required": (API, [("id: ID\n", "id: ID!\n")], {"Query.segment.id"}),
    "an interface is left": (API, [("Segment implements Node", "Segment")], {"Segment"}),
    "an enum value is removed": (WITH_ENUM, [(" OLDEST", "")], {"Order.OLDEST"}),
    "a key is removed": (
        SUBGRAPH,
        [(' @key(fields: "entityId")', "")],
        {'Segment @key(fields: "entityId")'},
    ),
    "a key is resolved no more": (
        SUBGRAPH,
        [('@key(fields: "id")', '@key(fields: "id", resolvable: false)')],
        {'Segment @key(fields: "id")'},
    ),
    "a type is shared no more": (
        SUBGRAPH,
        [(SHAREABLE, 'type PageInfo @tag(name: "shared")')],
        {"PageInfo @shareable"},
    ),
    "a type has no tag any more": (
        SUBGRAPH,
        [(SHAREABLE, "type PageInfo @shareable")],
        {'PageInfo @tag(name: "shared")'},
    ),
    "an argument has another tag": (
        SUBGRAPH,
        [('first: Int @tag(name: "segments")', 'first: Int @tag(name: "pages")')],
        {'Query.segments.first @tag(name: "segments")'},
    ),
    "a field is hidden": (
        SUBGRAPH,
        [("  name: String!\n", "  name: String! @inaccessible\n")],
        {"Segment.name @inaccessible"},
    ),
    "a type that is shared has a field more": (
        SUBGRAPH,
        [("hasNextPage: Boolean!", "hasNextPage: Boolean!\n  page: Int")],
        {"PageInfo.page"},
    ),
    "an interface has a field more": (
        SUBGRAPH,
        [('(name: "shared") {\n  """The Globally', '(name: "shared") { name: String! """The')],
        {"Node.name"},
    ),
}
COMPATIBLE = {
    "nothing changed": (SUBGRAPH, []),
    "a field is new": (API, [("name: String!", "name: String!\n  color: String")]),
    "an entity has a field more": (
        SUBGRAPH,
        [("  name: String!\n", "  name: String!\n  color: String\n")],
    ),
    "a type is new": (
        API,
        [("type Query {", "type Shopper { id: ID! }\ntype Query { shopper: Shopper")],
    ),
    "a field is never null any more": (API, [("description: String", "description: String!")]),
    "a new argument can be left out": (
        API,
        [("before: String\n", "before: String\n    order: Int\n")],
    ),
    "an enum value is new": (WITH_ENUM, [("OLDEST", "OLDEST LARGEST")]),
    "a description changed": (API, [("The name, unique", "What it is called, unique")]),
    "a description is gone": (API, [('"""What the segment is for, if told."""', "")]),
    "a field is deprecated": (
        API,
        [("name: String!", 'name: String! @deprecated(reason: "Said twice.")')],
    ),
    "a key is new": (
        SUBGRAPH,
        [('@key(fields: "id")', '@key(fields: "name") @key(fields: "id")')],
    ),
    "keys change places": (
        SUBGRAPH,
        [
            (
                '@key(fields: "id") @key(fields: "entityId")',
                '@key(fields: "entityId") @key(fields: "id")',
            )
        ],
    ),
    "a cost changed": (SUBGRAPH, [("@cost(weight: 20)", "@cost(weight: 40)")]),
}

CHANGELOG = """# Changelog

It may name `Segment.id` anywhere.

## [Unreleased]

### Added

* `Segment.color`.

### Breaking

* `Segment.name` is gone: read `Segment.title`. References have to be by `Segment @key(fields:
  "id")`.

### Fixed

* `Segment.createdAt`.

## [0.1.0]

### Breaking

* `Segment.entityId` has another form.
"""


def replaced(sdl: str, replacements: list[tuple[str, str]]) -> str:
    for old, new in replacements:
        assert old in sdl
        sdl = sdl.replace(old, new, 1)
    return sdl


def test_what_breaks_since_the_last_release_is_announced() -> None:
    changes: Changes = {}
    for name in FILES:
        for coordinate, told in breaking_changes(text(f"released/{name}"), text(name)).items():
            changes.setdefault(coordinate, set()).update(told)
    problem = complaint(changes, text("CHANGELOG.md"))
    assert problem is None, problem


@pytest.mark.parametrize("case", BREAKING)
def test_it_breaks_somebody_where(case: str) -> None:
    before, replacements, broken = BREAKING[case]
    assert breaking_changes(before, replaced(before, replacements)).keys() == broken


@pytest.mark.parametrize("case", COMPATIBLE)
def test_it_breaks_nobody_where(case: str) -> None:
    before, replacements = COMPATIBLE[case]
    assert breaking_changes(before, replaced(before, replacements)) == {}


def test_only_the_breaking_section_of_the_unreleased_version_announces() -> None:
    names = {"Segment.name", "Segment.title", 'Segment @key(fields: "id")'}
    assert announced(CHANGELOG) == names


def test_a_changelog_without_a_breaking_section_announces_nothing() -> None:
    assert announced("## [Unreleased]\n\n### Removed\n\n* `Segment.name`\n") == set()


@pytest.mark.parametrize("name", ["Segment.name", 'Segment @key(fields: "id")'])
def test_what_is_announced_may_break(name: str) -> None:
    assert complaint({name: {"It is gone"}}, CHANGELOG) is None


def test_whoever_breaks_something_is_told_what_and_what_to_do() -> None:
    changes = {"Segment.name": {"Gone"}, "Segment.id": {"Null", "Gone"}, "Node": {"Lost"}}
    assert complaint(changes, CHANGELOG) == (
        "These changes since the last release break clients, other subgraphs or contracts:\n"
        "  `Node`: Lost.\n"
        "  `Segment.id`: Gone; Null.\n"
        "Take them back, or name each in backticks below `### Breaking`, in the Unreleased\n"
        "section of CHANGELOG.md, with what whoever relies on it has to do."
    )
