"""The plans of an operation: one for each combination of the values of `@skip` and `@include`."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLSchema,
    Undefined,
    VariableNode,
    Visitor,
    get_operation_ast,
    value_from_ast_untyped,
    visit,
)
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues

from gateway.schema.plans.compiler import compile_plan
from gateway.schema.plans.inputs import NotPlanned
from gateway.schema.plans.plan import Plan
from gateway.schema.plans.rendered import RenderedRows
from gateway.schema.plans.selected import Selected

# Of one operation.
MAXIMUM_PLANS: Final = 8
# Of the documents of all plans, once for each plan. A character takes some 100 bytes of a plan.
MAXIMUM_CHARACTERS: Final = 100_000

# The values of the variables of `@skip` and `@include`.
Conditions = tuple[object, ...]


class PlanMemory:
    """Counts the characters of what was compiled; beyond a maximum, the oldest plans are dropped.

    A plan takes as much as its document is long: it has fields, constant arguments and defaults.
    """

    def __init__(self, maximum_characters: int = MAXIMUM_CHARACTERS) -> None:
        self.characters = 0
        self.rendered = RenderedRows()
        self._maximum_characters = maximum_characters
        self._kept: deque[tuple[dict[Conditions, Plan | None], Conditions, int]] = deque()

    def keep(
        self,
        plans: dict[Conditions, Plan | None],
        key: Conditions,
        plan: Plan | None,
        characters: int,
    ) -> None:
        """Adds a plan, or that there is none, to the plans of an operation."""
        plans[key] = plan
        self._kept.append((plans, key, characters))
        self.characters += characters
        while self.characters > self._maximum_characters:
            oldest, its_key, its_characters = self._kept.popleft()
            oldest.pop(its_key, None)
            self.characters -= its_characters


class OperationPlans:
    """The plans of one operation of a valid document, each compiled when it is first needed."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation_name: str | None,
        memory: PlanMemory,
    ) -> None:
        self._schema = schema
        self._document = document
        self._operation_name = operation_name
        self._memory = memory
        self._plans: dict[Conditions, Plan | None] = {}
        self._conditions = _conditions(document, operation_name)

    def find(self, variables: Mapping[str, object]) -> Plan | None:
        """Returns the plan for these variables, None if there is none."""
        values = tuple([variables.get(name, default) for name, default in self._conditions])
        if not all(type(value) is bool for value in values):
            return None
        if values in self._plans:
            return self._plans[values]
        executor = Executor.build(
            self._schema,
            self._document,
            raw_variable_values=dict(variables),
            operation_name=self._operation_name,
        )
        if isinstance(executor, list):  # wrong variables: those of the next request may be right
            return None
        if len(self._plans) == MAXIMUM_PLANS:
            del self._plans[next(iter(self._plans))]
        conditions = {
            name: value for (name, _), value in zip(self._conditions, values, strict=True)
        }
        plan = self._compiled(executor, VariableValues({}, conditions))
        self._memory.keep(self._plans, values, plan, _characters(self._document))
        return plan

    def _compiled(self, executor: Executor[Any], conditions: VariableValues) -> Plan | None:
        selected = Selected(self._schema, executor, conditions, self._memory.rendered)
        try:
            return compile_plan(selected)
        except NotPlanned:
            return None


def _conditions(document: DocumentNode, operation_name: str | None) -> Sequence[tuple[str, object]]:
    """Returns an operation's variables of `@skip` and `@include`, with their defaults."""
    search = _ConditionSearch()
    visit(document, search)
    operation = get_operation_ast(document, operation_name)
    declared = operation.variable_definitions if operation else ()
    return [
        (
            node.variable.name.value,
            Undefined if node.default_value is None else value_from_ast_untyped(node.default_value),
        )
        for node in declared or ()
        if node.variable.name.value in search.variables
    ]


def _characters(document: DocumentNode) -> int:
    return len(document.loc.source.body) if document.loc else 1


class _ConditionSearch(Visitor):
    """The variables of `@skip` and `@include`."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.variables.add(argument.value.name.value)
