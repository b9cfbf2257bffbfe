"""GraphQL documents: generated from the schema, changed at random, and introspection."""

import json
import re

from fuzz_target import Target, fuzz
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    introspection_types,
    parse_value,
    print_schema,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import queries

from gateway.schema import build_graph

SCHEMA = print_schema(build_graph().subgraph._schema)
VIP = "1a466884-f3f4-4249-9c28-ff90a5aec797"
REPRESENTATIONS = [
    f'{{__typename: "Segment", entityId: "{VIP}"}}',
    '{__typename: "Segment", id: 7}',
    '{__typename: "Promotion", id: "1"}',
    "[null, $v]",
    "{}",
]
DOCUMENTS = queries(
    SCHEMA, custom_scalars={"_Any": st.sampled_from(REPRESENTATIONS).map(parse_value)}
)
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\.\.\.|\s+|.', re.DOTALL)
OTHER_TOKENS = [
    *'{}()[]:!|=@$&#,"\\',
    *("...", '"""', "null", "true", "1e999", "-0", "9" * 400, "\ufeff", "\x00", "\U0001f600"),
    *("query", "mutation", "subscription", "fragment F on Segment", "on", "schema", "type Query"),
    *("@skip(if: true)", "@include(if: $v)", "@deprecated", "@unknown(a: 1)", "@oneOf", "$v: Int"),
    *("__typename", "__schema{types{name}}", '__type(name:"Query"){name}', "_service{sdl}"),
    *("segments", "nodes", "edges", "node", "id", "...F", "a: name", "a: id", "first: 300"),
    *(
        f'"{VIP}"',
        '"U2VnbWVudDoxYTQ2Njg4NC1mM2Y0LTQyNDktOWMyOC1mZjkwYTVhZWM3OTc="',
        "Segment",
        "Node",
    ),
]


def ask(target: Target, document: str, **more: object) -> None:
    body = json.dumps({"query": document, **more}).encode()
    target.ask(b"POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\n", body)


@fuzz(0.08)
@given(document=DOCUMENTS)
def test_a_document_of_the_schema_is_answered(target: Target, document: str) -> None:
    ask(target, document)


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A document of which some tokens are left out, doubled, moved or replaced."""
    tokens = TOKEN.findall(draw(DOCUMENTS))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(tokens)))
        until = at + draw(st.integers(0, 12))
        piece = draw(
            st.sampled_from(
                [[], tokens[at:until] * 2, tokens[at:until] * 60, ["{", *tokens[at:until], "}"]]
            )
            | st.lists(st.sampled_from(OTHER_TOKENS) | st.text(max_size=5), max_size=6)
        )
        tokens[at:until] = piece
    return "".join(tokens)[:90_000]


@fuzz(0.12)
@given(document=changed(), variables=st.none() | st.dictionaries(st.just("v"), st.integers()))
def test_a_changed_document_is_answered(
    target: Target, document: str, variables: dict[str, int] | None
) -> None:
    ask(target, document, variables=variables)


@st.composite
def introspection(draw: st.DrawFn, of: GraphQLNamedType | None = None, depth: int = 0) -> str:
    """A selection of any fields of introspection, with aliases, in any depth."""
    if of is None:
        root = draw(st.sampled_from(["__schema", '__type(name: "Query")', "__type(name: $v)"]))
        kind = "__Schema" if root == "__schema" else "__Type"
        return f"{root} {draw(introspection(introspection_types[kind], 1))}"
    assert isinstance(of, GraphQLObjectType)
    names = draw(st.lists(st.sampled_from(sorted(of.fields)), min_size=1, max_size=4))
    selected = []
    for at, name in enumerate(names):
        field = of.fields[name]
        below = get_named_type(field.type)
        arguments = draw(st.sampled_from(["", "(includeDeprecated: true)"])) if field.args else ""
        alias = draw(st.sampled_from(["", f"a{at}: "]))
        if isinstance(below, GraphQLObjectType):
            if depth >= 7:
                continue
            arguments += " " + draw(introspection(below, depth + 1))
        selected.append(f"{alias}{name}{arguments}")
    return "{ __typename " + " ".join(selected) + " }"


@fuzz(0.08)
@given(selections=st.lists(introspection(), min_size=1, max_size=3), name=st.text(max_size=9))
def test_introspection_is_answered(target: Target, selections: list[str], name: str) -> None:
    fields = " ".join(f"i{at}: {selection}" for at, selection in enumerate(selections))
    ask(target, f"query ($v: String!) {{ {fields} }}", variables={"v": name})
    ask(target, f"{{ {fields} }}")
