"""How long the lists of introspection are, so that what they multiply to can be weighed."""

from collections.abc import Mapping

from graphql import (
    GraphQLSchema,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
)

# Of the types that are asked for it, half have an `ofType`, and fewer have one of the rest.
OF_TYPE = 0.5
RARE = 0.3


def lengths_of(schema: GraphQLSchema) -> Mapping[tuple[str, str], float]:
    """Returns the mean length of each list of introspection by its type and field."""
    types = schema.type_map.values()
    fields = [
        field
        for one in types
        if is_object_type(one) or is_interface_type(one)
        for field in one.fields.values()
    ]
    arguments = sum(len(field.args) for field in fields)
    enum_values = sum(len(one.values) for one in types if is_enum_type(one))
    input_fields = sum(len(one.fields) for one in types if is_input_object_type(one))
    return {
        ("__Schema", "types"): len(types),
        ("__Schema", "directives"): len(schema.directives),
        ("__Type", "fields"): len(fields) / len(types),
        ("__Type", "enumValues"): enum_values / len(types),
        ("__Type", "inputFields"): max(RARE, input_fields / len(types)),
        ("__Type", "interfaces"): RARE,
        ("__Type", "possibleTypes"): RARE,
        ("__Type", "ofType"): OF_TYPE,
        ("__Field", "args"): max(RARE, arguments / len(fields)),
        ("__Directive", "args"): 1,
        ("__Directive", "locations"): 4,
    }
