"""Variables and arguments of a plan: only values that GraphQL's coercion leaves as they are.

A value of an enum stays its name if a variable has it; an input object is null, or has no plan.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLType,
    OperationDefinitionNode,
    Undefined,
    VariableNode,
    Visitor,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
    value_from_ast,
    visit,
)

Variables = Mapping[str, object]
Check = Callable[[object], bool]
ReadArguments = Callable[[Variables], dict[str, Any]]

LARGEST_INT: Final = 2**31  # GraphQL, 3.5.1


class NotPlanned(Exception):
    """The operation, or this request of it, has no plan: graphql-core executes it."""


# The types whose values of this Python type are passed on unchanged. Python's `bool` is no `Int`,
# and a number is no `ID`, though coercion makes it one.
SCALARS: Final[Mapping[str, type]] = {"Int": int, "String": str, "ID": str, "Boolean": bool}


class VariableReader:
    """The variables of one operation of a valid document."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        """Raises `NotPlanned` for a variable of another type."""
        self._variables: list[tuple[str, Check, object]] = []
        for node in operation.variable_definitions or ():
            type_ = cast(GraphQLInputType, type_from_ast(schema, node.type))
            default: object = Undefined
            if node.default_value is not None:
                default = value_from_ast(node.default_value, type_)
            self._variables.append((node.variable.name.value, _check_of(type_), default))

    def read(self, sent: Variables) -> dict[str, object]:
        """Returns the values of the operation's variables; one that is not given is left out.

        Raises `NotPlanned` for a value that coercion would change or refuse.
        """
        values: dict[str, object] = {}
        for name, check, default in self._variables:
            value = sent.get(name, Undefined)
            if value is not Undefined:
                if not check(value):
                    raise NotPlanned
                values[name] = value
            elif default is not Undefined:
                values[name] = default
            elif not check(None):
                raise NotPlanned
        return values


def _is_text(value: object) -> bool:
    return type(value) is str


def _check_of(type_: GraphQLType) -> Check:
    """Returns the function that says whether coercion leaves a value as it is."""
    is_required = is_non_null_type(type_)
    nullable = cast(GraphQLType, type_.of_type) if is_non_null_type(type_) else type_
    if is_list_type(nullable):
        item = _check_of(cast(GraphQLType, nullable.of_type))
        if is_required and item is _is_text:
            return lambda value: type(value) is list and set(map(type, value)) <= {str}
        return lambda value: (
            all(map(item, value)) if type(value) is list else value is None and not is_required
        )
    name = getattr(nullable, "name", "")
    if name == "_Any":
        return lambda value: value is not None or not is_required
    if is_enum_type(nullable):
        names = nullable.values.keys()
        return lambda value: (
            value in names if type(value) is str else value is None and not is_required
        )
    if is_input_object_type(nullable):
        return lambda value: value is None and not is_required
    scalar = SCALARS.get(name)
    if scalar is None:
        raise NotPlanned
    if scalar is int:
        return lambda value: (
            -LARGEST_INT <= value < LARGEST_INT
            if type(value) is int
            else value is None and not is_required
        )
    if is_required:
        return _is_text if scalar is str else lambda value: type(value) is scalar
    return lambda value: type(value) is scalar or value is None


class _NoVariables(Visitor):
    def enter_variable(self, *_: object) -> None:
        raise NotPlanned


class WrittenArgument(NamedTuple):
    """An argument as the document gives it: a variable, else a constant.

    Beside a variable, and in place of an argument that is left out, `constant` is the default.
    """

    name: str
    variable: str | None
    constant: object


def written_arguments(field: GraphQLField, node: FieldNode) -> list[WrittenArgument]:
    """Returns the arguments that the document gives to a field.

    Raises `NotPlanned` for a list or an object that has variables inside.
    """
    written: list[WrittenArgument] = []
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for name, argument in field.args.items():
        if argument.default is not None:  # Strawberry has defaults that are coerced already
            raise NotPlanned
        value, default = given.get(name), argument.default_value
        if isinstance(value, VariableNode):
            written.append(WrittenArgument(name, value.name.value, default))
        elif value is None and default is not Undefined:
            written.append(WrittenArgument(name, None, default))
        elif value is not None:
            visit(value, _NoVariables())
            written.append(WrittenArgument(name, None, value_from_ast(value, argument.type)))
    return written


def argument_reader(field: GraphQLField, node: FieldNode) -> ReadArguments:
    """Returns the function that returns a field's arguments for the values of variables.

    It leaves out arguments that are not given and have no default, and raises `NotPlanned` if a
    required one is null.
    Raises `NotPlanned` as `written_arguments` does.
    """
    constants: dict[str, object] = {}
    variables: list[tuple[str, str, bool]] = []
    for name, variable, constant in written_arguments(field, node):
        if constant is not Undefined:
            constants[name] = constant
        if variable is not None:
            variables.append((name, variable, is_non_null_type(field.args[name].type)))

    def read(values: Variables) -> dict[str, Any]:
        arguments = dict(constants)
        for name, variable, is_required in variables:
            value = values.get(variable, Undefined)
            if is_required and (value is None or value is Undefined):
                raise NotPlanned
            if value is not Undefined:
                arguments[name] = value
        return arguments

    return read
