"""How long the lists of introspection are, so that what they multiply to can be weighed."""

from collections.abc import Mapping

from graphql import (
    GraphQLSchema,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)

# Half of the types that `ofType` is asked of have one.
OF_TYPE = 0.5


def lengths_of(schema: GraphQLSchema) -> Mapping[tuple[str, str], float]:
    """Returns the mean length of each list by its type and field, at least 1."""
    types = schema.type_map.values()
    composite = [one for one in types if is_object_type(one) or is_interface_type(one)]
    fields = [field for one in composite for field in one.fields.values()]
    enums = [one for one in types if is_enum_type(one)]
    inputs = [one for one in types if is_input_object_type(one)]
    return {
        ("__Schema", "types"): len(types),
        ("__Schema", "directives"): len(schema.directives),
        ("__Type", "fields"): _mean(len(fields), len(composite)),
        ("__Type", "enumValues"): _mean(sum(len(one.values) for one in enums), len(enums)),
        ("__Type", "inputFields"): _mean(sum(len(one.fields) for one in inputs), len(inputs)),
        ("__Type", "interfaces"): 1,
        ("__Type", "possibleTypes"): 1,
        ("__Type", "ofType"): OF_TYPE,
        ("__Field", "args"): _mean(sum(len(field.args) for field in fields), len(fields)),
        ("__Directive", "args"): 2,
    }


def _mean(total: int, number: int) -> float:
    return max(1, total / max(1, number))
