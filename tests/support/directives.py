"""Which directives a schema bears, and where."""

from graphql import DirectiveNode, Node, Visitor, parse, print_ast, visit
from graphql.language.ast import ArgumentNode

Uses = dict[str, set[str]]


def uses_of(sdl: str, *names: str) -> Uses:
    """Each use of these directives, such as `@tag(name: "a")`, by the coordinate that bears it."""
    return {
        coordinate: uses
        for coordinate, borne in _all_borne(sdl).items()
        if (uses := {_use(one) for one in borne if one.name.value in names})
    }


def coordinates_of(sdl: str) -> set[str]:
    """Whatever can bear a directive, such as `Query.segments.first`."""
    return set(_all_borne(sdl))


def _all_borne(sdl: str) -> dict[str, list[DirectiveNode]]:
    bearers = _Bearers()
    visit(parse(sdl, no_location=True), bearers)
    return bearers.found


class _Bearers(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self._path: list[str] = []
        self.found: dict[str, list[DirectiveNode]] = {}

    def enter(self, node: Node, *_: object) -> None:
        if hasattr(node, "directives"):
            self._path.append(node.name.value if hasattr(node, "name") else "schema")
            self.found.setdefault(".".join(self._path), []).extend(node.directives or ())

    def leave(self, node: Node, *_: object) -> None:
        if hasattr(node, "directives"):
            self._path.pop()


def _use(node: DirectiveNode) -> str:
    """The use as text, its arguments in the order of their names."""

    def by_name(argument: ArgumentNode) -> str:
        return argument.name.value

    arguments = ", ".join(print_ast(one) for one in sorted(node.arguments or (), key=by_name))
    return f"@{node.name.value}({arguments})" if arguments else f"@{node.name.value}"
