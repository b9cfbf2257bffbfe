"""Which operation of a document is meant."""

import re

from graphql import GraphQLError, OperationDefinitionNode, parse

from gateway.web.graphql_request import GraphQLRequest

_KEYWORD = re.compile(r"\b(?:query|mutation|subscription)\b")
# A longer document is left to the schema, whose own limit on tokens is lower.
PARSED_TOKENS = 10_000


def needs_operation_name(asked: GraphQLRequest) -> bool:
    """Tells whether a document has several operations of which the request names none.

    GraphQL, 6.1, GetOperation: that is an error, where Strawberry would execute the first.
    """
    # Anonymous operations have to be alone, so several operations have a keyword each.
    if asked.operation_name is not None or len(_KEYWORD.findall(asked.query)) < 2:
        return False
    try:
        document = parse(asked.query, no_location=True, max_tokens=PARSED_TOKENS)
    except (GraphQLError, RecursionError):
        return False  # the schema says what is wrong
    return sum(isinstance(node, OperationDefinitionNode) for node in document.definitions) > 1
