"""Generated operations of the whole schema: usual documents, most of them valid, with variables."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from graphql import (
    GraphQLArgument,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
)
from graphql.utilities import do_types_overlap
from hypothesis import strategies as st
from operation_values import ODD, USUAL, EnumName, Json

from gateway.schema import build_graph

SCHEMA: GraphQLSchema = build_graph().subgraph._schema
COMPOSITES: list[GraphQLCompositeType] = [
    one
    for name, one in SCHEMA.type_map.items()
    if is_composite_type(one) and not name.startswith("__")
]
# The types that a fragment in the first one may have as its condition. Only routers' documents know
# `_Entity`: those that select `_entities`.
CONDITIONS = {
    one.name: [
        other
        for other in COMPOSITES
        if do_types_overlap(SCHEMA, one, other) and (other is one or other.name != "_Entity")
    ]
    for one in COMPOSITES
}
# Of the fields whose arguments are not all needed: those that clients send together.
TOGETHER: dict[str, list[tuple[str, ...]]] = {
    "segments": [
        ("first",),
        ("first", "after"),
        ("last",),
        ("last", "before"),
        (),
        ("first", "after", "before"),
        ("first", "last"),
        ("before", "last", "after"),
        ("after",),
        ("before", "after", "last", "first"),
        ("first", "sortKey"),
        ("first", "reverse"),
        ("first", "filter"),
        ("sortKey", "reverse", "first"),
        ("first", "after", "filter"),
        ("last", "filter", "sortKey", "reverse"),
    ],
    "segment": [("id",), ("entityId",), ("id",), ("entityId",), ("id", "entityId"), ()],
}
INTROSPECTION = [
    "__schema { queryType { name } }",
    "s: __schema { types { kind name } directives { name } }",
    '__type(name: "Segment") { name fields { name type { name kind ofType { name } } } }',
    'absent: __type(name: "Absent") { name }',
]
OTHER_OPERATIONS = [
    "query Other { __typename }",
    "query Other { segments(first: 1) { nodes { id name } } }",
    "query Other($first: Int = 2) { segments(first: $first) { totalCount } }",
    "mutation Other { __typename }",
]
BREAKS: list[Callable[[str], str]] = [
    lambda text: text.rstrip(" }\n"),
    lambda text: text.replace("name", "nane", 1),
    lambda text: text.replace("{ ", "{ unknown ", 1),
    lambda text: text.replace("{ ", "{ ...Unknown ", 1),
    lambda text: text.replace("$", "$x", 1),
    lambda text: text.replace("first", "firts", 1),
    lambda text: text + " fragment Unused on Segment { id }",
    lambda text: text + " { __typename }",
    lambda text: text.replace("query", "subscription", 1),
    lambda text: text.replace("query", "mutation", 1),
    lambda text: text + "{ segments { nodes { id id: name } } }",
    lambda text: text.replace("(", "(more: 1 ", 1),
    lambda _: "",
]
_sixteenths, _sixty_fourths = st.integers(0, 15), st.integers(0, 63)
_booleans = st.booleans()
_other_names = st.sampled_from(["a", "b", "z9", "_x", "__t", "name", "id"])
MOST_FIELDS, DEEPEST = 30, 7


@dataclass(frozen=True)
class Operation:
    """A document, and what the request says beside it."""

    document: str
    variables: dict[str, Json] = field(default_factory=dict)
    name: str | None = None


def literal(value: Json) -> str:
    """Returns a JSON value as GraphQL writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(one) for one in value) + "]"
    return value if isinstance(value, EnumName) else json.dumps(value, ensure_ascii=False)


class _Writer:
    """Writes one document, in which a response key stands for one field with one set of arguments.

    So all selections can be merged, wherever they stand (GraphQL, 5.3.2).
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._definitions: dict[str, str] = {}
        self._values: dict[str, Json] = {}
        self._fragments: dict[str, tuple[GraphQLCompositeType, str]] = {}
        self._begun = 0
        self._calls: dict[str, list[str]] = {}
        self._fields_left = MOST_FIELDS
        # name: description and description: name are the hardest of all aliases.
        swapped = {"name": "description", "description": "name", "id": "entityId", "entityId": "id"}
        self._aliases = swapped if self._chance(1) else {}

    def write(self) -> Operation:
        """Returns the operation."""
        root = SCHEMA.query_type
        assert root is not None
        body = self._selection(root, 0)
        name = self._draw(st.sampled_from(["Page", "Page", "_1"])) if self._chance(10) else None
        other = self._draw(st.sampled_from(OTHER_OPERATIONS)) if self._chance(1) else None
        if other is not None:
            name = name or "Page"
        definitions = " ".join(f"${one}: {kind}" for one, kind in self._definitions.items())
        head = f"query {name or ''}{f'({definitions})' if definitions else ''} "
        parts = ["" if head.split() == ["query"] and self._chance(12) else head]
        parts[0] += body
        parts += [f"fragment {n} on {t.name} {b}" for n, (t, b) in self._fragments.items()]
        if other is not None:
            parts.append(other)
        if self._chance(4):
            parts.reverse()
        text = (" ", "\n", "\n\n# next\n", "\r\n,")[self._draw(_sixteenths) // 4].join(parts)
        if self._rarely():
            text = self._draw(st.sampled_from(BREAKS))(text)
        asked = name if other is not None or self._chance(8) else None
        if self._rarely():
            asked = self._draw(st.sampled_from(["Other", "Absent", "", None]))
        if self._chance(1):
            self._values[self._draw(_other_names)] = self._draw(st.sampled_from([1, None, [], {}]))
        return Operation(text, self._values, asked)

    def _chance(self, sixteenths: int) -> bool:
        return self._draw(_sixteenths) >= 16 - sixteenths

    def _rarely(self) -> bool:
        return self._draw(_sixty_fourths) == 63

    def _selection(self, parent: GraphQLCompositeType, depth: int) -> str:
        wanted = 1 + self._draw(_sixteenths) % (6 if depth > 1 else 3)
        parts = [self._part(parent, depth) for _ in range(wanted)]
        return "{ " + " ".join(parts) + " }"

    def _part(self, parent: GraphQLCompositeType, depth: int) -> str:
        kind = self._draw(_sixteenths)
        if depth >= DEEPEST or self._fields_left <= 0 or kind == 12:
            alias = "type: " if self._chance(3) else ""
            return f"{alias}__typename{self._directives()}"
        if kind == 13:
            return f"...{self._directives()} {self._selection(parent, depth + 1)}"
        if kind == 14 or (kind < 12 and not self._fields_of(parent)):
            condition = self._draw(st.sampled_from(CONDITIONS[parent.name]))
            inner = self._selection(condition, depth + 1)
            return f"... on {condition.name}{self._directives()} {inner}"
        if kind == 15:
            return f"...{self._fragment(parent, depth)}{self._directives()}"
        return self._field(parent, depth)

    def _fields_of(self, parent: GraphQLCompositeType) -> dict[str, GraphQLField]:
        return {} if isinstance(parent, GraphQLUnionType) else parent.fields

    def _fragment(self, parent: GraphQLCompositeType, depth: int) -> str:
        """Returns the name of a fragment; one that is written already may be spread again."""
        fitting = [
            name for name, (on, _) in self._fragments.items() if on in CONDITIONS[parent.name]
        ]
        if fitting and self._chance(9):
            return self._draw(st.sampled_from(fitting))
        self._begun += 1
        name = f"F{self._begun}"
        condition = self._draw(st.sampled_from(CONDITIONS[parent.name]))
        body = self._selection(condition, depth + 1)
        self._fragments[name] = (condition, body)
        return name

    def _field(self, parent: GraphQLCompositeType, depth: int) -> str:
        self._fields_left -= 1
        if parent is SCHEMA.query_type and self._draw(_sixty_fourths) > 61:
            return self._draw(st.sampled_from(INTROSPECTION))
        fields = self._fields_of(parent)
        names = [*fields, *["segments"] * 5] if parent is SCHEMA.query_type else list(fields)
        name = self._draw(st.sampled_from(names))
        definition = fields[name]
        if definition.args:
            text = self._call(name, definition)
        elif name in self._aliases:
            text = f"{self._aliases[name]}: {name}"
        else:
            text = f"{name}_2: {name}" if self._chance(2) else name
        text += self._directives()
        named = get_named_type(definition.type)
        return f"{text} {self._selection(named, depth + 1)}" if is_composite_type(named) else text

    def _call(self, name: str, definition: GraphQLField) -> str:
        """Returns a field with arguments; the same one may be selected again, to be merged."""
        known = self._calls.setdefault(name, [])
        if known and self._chance(6):
            return self._draw(st.sampled_from(known))
        sent = list(definition.args)
        if name in TOGETHER:
            sent = list(TOGETHER[name][self._draw(_sixteenths) % len(TOGETHER[name])])
        written = ", ".join(self._argument(one, definition.args[one]) for one in sent)
        number = len(known)
        key = f"{name}{number}: " if number or self._chance(5) else ""
        known.append(f"{key}{name}({written})" if written else f"{key}{name}")
        return known[-1]

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        is_odd = self._rarely()
        value = self._draw((ODD if is_odd else USUAL)[name])
        if not self._chance(8):
            if isinstance(value, list) and value and self._chance(2):
                kind = "_Any!" if name == "representations" else "ID!"
                items = [*map(literal, value)]
                items[-1] = self._variable(kind, value[-1])
                return f"{name}: [{', '.join(items)}]"
            return f"{name}: {literal(value)}"
        return f"{name}: {self._variable(str(argument.type), value)}"

    def _variable(self, kind: str, value: Json) -> str:
        """Returns a variable for a place of this type: one of its own, or the last one."""
        name = f"v{len(self._definitions) - 1}"
        if self._definitions.get(name, "").partition(" =")[0] == kind and self._chance(5):
            return f"${name}"
        name = f"v{len(self._definitions)}"
        nullable = kind.removesuffix("!")
        match self._draw(_sixteenths):
            case 10:
                self._definitions[name] = f"{nullable}! = {literal(value)}"
            case 11:
                self._definitions[name] = f"{nullable} = {literal(value)}"
            case 12:
                self._definitions[name] = f"{nullable}! = {literal(value)}"
                self._values[name] = value
            case 13:
                self._definitions[name] = f"{nullable}!"
                self._values[name] = value
            case 14:
                self._definitions[name] = kind
                if kind.endswith("!"):
                    self._values[name] = value
            case 15:
                self._definitions[name] = kind
                self._values[name] = value if kind.endswith("!") else None
            case _:
                self._definitions[name] = kind
                self._values[name] = value
        return f"${name}"

    def _directives(self) -> str:
        text = ""
        for name, usual in (("include", True), ("skip", False)):
            if not self._chance(1):
                continue
            value = usual if self._chance(8) else not usual
            condition = self._variable("Boolean!", value) if self._chance(9) else literal(value)
            text += f" @{name}(if: {condition})"
        return text


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """Operations of the whole schema; one of 64 documents is broken on purpose."""
    return _Writer(draw).write()
