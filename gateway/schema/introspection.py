"""A graph that clients cannot read: neither by introspection, nor from suggestions in errors."""

from typing import Any

from graphql import ASTValidationRule, FieldNode, GraphQLError, specified_rules

from gateway.schema.pieces import Execution

SCHEMA_FIELDS = frozenset({"__schema", "__type"})
SWITCHED_OFF = (
    "Introspection is switched off (GATEWAY_INTROSPECTION): take the schema from api.graphql or "
    "from `gateway schema --api`."
)


class NoIntrospection(ASTValidationRule):
    """Refuses `__schema` and `__type`; `__typename` stays."""

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """Reports an error for a field of introspection."""
        if node.name.value in SCHEMA_FIELDS:
            self.report_error(GraphQLError(SWITCHED_OFF, node))


RULES_WITHOUT_INTROSPECTION: tuple[type[ASTValidationRule], ...] = (
    NoIntrospection,
    *specified_rules,
)


class WithoutSuggestions(Execution):
    """Executes an operation; errors of variables and arguments suggest no names."""

    @classmethod
    def build(cls, *args: Any, **kwargs: Any) -> Any:
        """Returns the executor, or the errors of the variables."""
        return super().build(*args, **{**kwargs, "hide_suggestions": True})
