"""The plans of an operation: one for each combination of the values of `@skip` and `@include`."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLSchema,
    Undefined,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.executor import Executor
from graphql.execution.values import VariableValues

from gateway.schema.plans.compiler import compile_plan
from gateway.schema.plans.inputs import NotPlanned
from gateway.schema.plans.plan import Plan
from gateway.schema.plans.selected import Selected
from gateway.schema.plans.selections import RenderedRows

# Of one operation.
MAXIMUM_PLANS: Final = 8
# Of all plans. A field takes up to 600 bytes.
MAXIMUM_FIELDS: Final = 20_000

# The values of the variables of `@skip` and `@include`.
Conditions = tuple[object, ...]


class PlanMemory:
    """Counts the fields of all plans; beyond a maximum, the oldest ones are forgotten."""

    def __init__(self, maximum_fields: int = MAXIMUM_FIELDS) -> None:
        self.fields = 0
        self.rendered = RenderedRows()
        self._maximum_fields = maximum_fields
        self._kept: deque[tuple[dict[Conditions, Plan | None], Conditions, int]] = deque()

    def keep(
        self, plans: dict[Conditions, Plan | None], key: Conditions, plan: Plan | None
    ) -> None:
        """Adds a plan, or that there is none, to the plans of an operation."""
        plans[key] = plan
        size = 1 if plan is None else plan.size
        self._kept.append((plans, key, size))
        self.fields += size
        while self.fields > self._maximum_fields:
            oldest, its_key, its_size = self._kept.popleft()
            oldest.pop(its_key, None)
            self.fields -= its_size


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
        search = _ConditionSearch()
        visit(document, search)
        self._conditions = tuple(search.variables)

    def find(self, variables: Mapping[str, object]) -> Plan | None:
        """Returns the plan for these variables, None if there is none."""
        # A condition that is not given has its default, which is the same each time.
        values = tuple([variables.get(name, Undefined) for name in self._conditions])
        if not all(value is Undefined or type(value) is bool for value in values):
            return None
        if values in self._plans:
            return self._plans[values]
        if len(self._plans) == MAXIMUM_PLANS:
            return None
        executor = Executor.build(
            self._schema,
            self._document,
            raw_variable_values=dict(variables),
            operation_name=self._operation_name,
        )
        if isinstance(executor, list):  # wrong variables: those of the next request may be right
            return None
        plan = self._compiled(executor)
        self._memory.keep(self._plans, values, plan)
        return plan

    def _compiled(self, executor: Executor[Any]) -> Plan | None:
        # A plan outlives the request whose variables it is compiled with: it keeps no others.
        coerced = executor.variable_values.coerced
        conditions = {name: coerced[name] for name in self._conditions if name in coerced}
        selected = Selected(
            self._schema, executor, VariableValues({}, conditions), self._memory.rendered
        )
        try:
            return compile_plan(selected)
        except NotPlanned:
            return None


class _ConditionSearch(Visitor):
    """The variables of `@skip` and `@include`."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: dict[str, None] = {}

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.variables[argument.value.name.value] = None
