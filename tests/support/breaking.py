"""Changes of a schema that break whoever relies on it: clients, other subgraphs, contracts."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import msgspec
from directives import coordinates_of, uses_of
from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema
from npm_tools import answer_of

INSPECTOR = Path(__file__).parents[1] / "contract" / "inspector"

# Other subgraphs refer by the keys and share the types; contracts choose by the tags.
RELIED_ON = ("key", "shareable", "tag")
RESTRICTING = ("authenticated", "inaccessible", "policy", "requiresScopes")

# What changed, by the name that announces it.
Changes = dict[str, set[str]]


class Change(msgspec.Struct):
    """What GraphQL Inspector tells of a change."""

    criticality: str
    coordinate: str
    message: str


def breaking_changes(before: str, after: str) -> Changes:
    """What the second schema breaks of the first.

    GraphQL Inspector knows what breaks clients; of federation's directives it knows too little.
    """
    answer = answer_of(INSPECTOR / "diff.mjs", {"before": before, "after": after})
    changes: Changes = defaultdict(set)
    for change in msgspec.json.decode(answer, type=list[Change]):
        if change.criticality == "BREAKING":
            changes[change.coordinate].add(change.message)
    for use in _more(before, after, RELIED_ON):
        changes[use].add("Other subgraphs or contracts may rely on it, and it is gone")
    for use in _more(after, before, RESTRICTING):
        changes[use].add("It restricts who can read what was there before")
    for field in _fields_more_of_shared_types(before, after):
        changes[field].add("Other subgraphs define this type too, and now lack a field of it")
    return dict(changes)


def announced(changelog: str) -> set[str]:
    """What stands in backticks below `### Breaking` of the unreleased version."""
    (unreleased,) = re.findall(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    sections = re.findall(r"^### Breaking\n(.*?)(?=^### |\Z)", unreleased, re.M | re.S)
    return {" ".join(name.split()) for name in re.findall(r"`([^`]+)`", "".join(sections))}


def complaint(changes: Mapping[str, set[str]], changelog: str) -> str | None:
    """What is broken without an announcement, and what to do; None where nothing is."""
    lines = [
        f"  `{name}`: {'; '.join(sorted(changes[name]))}."
        for name in sorted(changes.keys() - announced(changelog))
    ]
    if not lines:
        return None
    return "\n".join(
        [
            "These changes since the last release break clients, other subgraphs or contracts:",
            *lines,
            "Take them back, or name each in backticks below `### Breaking`, in the Unreleased",
            "section of CHANGELOG.md, with what whoever relies on it has to do.",
        ]
    )


def _more(sdl: str, other: str, directives: tuple[str, ...]) -> set[str]:
    """The uses of these directives in the first schema that the second has not, where it could."""
    there, uses = coordinates_of(other), uses_of(other, *directives)
    return {
        f"{coordinate} {use}"
        for coordinate, found in uses_of(sdl, *directives).items()
        if coordinate in there
        for use in found - uses.get(coordinate, set())
    }


def _fields_more_of_shared_types(before: str, after: str) -> set[str]:
    """The new fields of interfaces, and of types that are shared and have no key."""
    directives = uses_of(before, "key", "shareable")
    found = set()
    old, new = (build_schema(sdl, assume_valid_sdl=True).type_map for sdl in (before, after))
    for name in old.keys() & new.keys():
        type_, now = old[name], new[name]
        if isinstance(type_, GraphQLInterfaceType) or directives.get(name) == {"@shareable"}:
            assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
            if isinstance(now, GraphQLObjectType | GraphQLInterfaceType):
                found |= {f"{name}.{field}" for field in now.fields.keys() - type_.fields.keys()}
    return found
