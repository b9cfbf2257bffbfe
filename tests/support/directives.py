"""Which directives a schema bears, and where."""

from collections import defaultdict

from graphql import DirectiveNode, Node, Visitor, parse, print_ast, visit
from graphql.language.ast import ArgumentNode

Uses = dict[str, set[str]]


def uses_of(sdl: str, *names: str) -> Uses:
    """Each use of these directives, such as `@tag(name: "a")`, by the coordinate that bears it."""
    visitor = _Uses(names)
    visit(parse(sdl, no_location=True), visitor)
    return dict(visitor.found)


class _Uses(Visitor):
    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self._names = names
        self._path: list[str] = []
        self.found: defaultdict[str, set[str]] = defaultdict(set)

    def enter(self, node: Node, *_: object) -> None:
        if isinstance(node, DirectiveNode):
            if node.name.value in self._names:
                self.found[".".join(self._path)].add(_use(node))
        elif hasattr(node, "directives"):
            self._path.append(node.name.value if hasattr(node, "name") else "schema")

    def leave(self, node: Node, *_: object) -> None:
        if hasattr(node, "directives") and not isinstance(node, DirectiveNode):
            self._path.pop()


def _use(node: DirectiveNode) -> str:
    """The use as text, its arguments in the order of their names."""

    def by_name(argument: ArgumentNode) -> str:
        return argument.name.value

    arguments = ", ".join(print_ast(one) for one in sorted(node.arguments or (), key=by_name))
    return f"@{node.name.value}({arguments})" if arguments else f"@{node.name.value}"
