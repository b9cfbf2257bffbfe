"""The errors in a GraphQL response: each has a code, none has a stack trace or a Python literal."""

import logging
import re
from collections.abc import Sequence

from graphql import (
    GraphQLError,
    GraphQLFormattedError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
)

from gateway.errors import ErrorCode, GatewayError
from gateway.web.request_id import masked_message

# Quoted text comes from the client and stays; elsewhere these words come from graphql-core.
_PYTHON_WORDS = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | \b(?:None|True|False)\b""", re.VERBOSE
)
_IN_JSON = {"None": "null", "True": "true", "False": "false"}
# graphql-core quotes lists and objects in the form of Python.
_PYTHON_VALUE = re.compile(r"( cannot represent [^:]*): [\[{(].*", re.DOTALL)
# Messages quote the document, whose names and strings have any length.
LONGEST_MESSAGE = 500

log = logging.getLogger(__name__)


def format_errors(
    errors: Sequence[GraphQLError], request_id: str, *, before_execution: bool
) -> list[GraphQLFormattedError]:
    """Returns the errors of a response; unexpected ones are masked and logged.

    The log has the number of unexpected errors, and the stack trace of the first.
    """
    formatted = []
    unexpected: list[GraphQLError] = []
    for error in errors:
        entry = error.formatted
        root = _root(error)
        if not isinstance(root, GatewayError):  # its `extensions` have the code already
            code = _code(error, root, before_execution=before_execution)
            entry["extensions"] = {"code": code}
            if code is ErrorCode.INTERNAL_SERVER_ERROR:
                unexpected.append(error)
                entry["message"] = masked_message(request_id)
            else:
                entry["message"] = _message(error, root)
        formatted.append(entry)
    if unexpected:
        first = unexpected[0]
        path = ".".join(str(step) for step in first.path or ("no field",))
        log.error(
            "request %s failed at %s (errors: %d)",
            request_id,
            path,
            len(unexpected),
            exc_info=_root(first),
        )
    return formatted


def _root(error: GraphQLError) -> Exception:
    """Returns the exception that was raised first."""
    root: Exception = error
    while isinstance(root, GraphQLError) and root.original_error is not None:
        root = root.original_error
    return root


def _code(error: GraphQLError, root: Exception, *, before_execution: bool) -> ErrorCode:
    if error.path is not None:
        # An argument that is wrong because of a variable's value is reported with its own nodes.
        # An error without nodes is a resolver's result that does not fit the schema.
        is_argument = isinstance(root, GraphQLError) and root is not error and bool(root.nodes)
        return ErrorCode.BAD_USER_INPUT if is_argument else ErrorCode.INTERNAL_SERVER_ERROR
    if isinstance(root, RecursionError):
        return ErrorCode.BAD_REQUEST
    if not isinstance(root, GraphQLError) and not error.nodes:
        return ErrorCode.INTERNAL_SERVER_ERROR
    if isinstance(root, GraphQLSyntaxError):
        return ErrorCode.GRAPHQL_PARSE_FAILED
    is_about_operation = any(isinstance(n, OperationDefinitionNode) for n in error.nodes or ())
    if before_execution or is_about_operation:
        return ErrorCode.GRAPHQL_VALIDATION_FAILED
    return ErrorCode.BAD_USER_INPUT


def _message(error: GraphQLError, root: Exception) -> str:
    if isinstance(root, RecursionError):
        return "The document or its variables are nested too deeply."
    message = error.message
    if message == "Validation aborted.":  # graphql-core's own limit
        return "The document repeats itself too often to be checked. Ask for less."
    if not isinstance(root, GraphQLError):
        # A scalar refused the client's value; the message of Python's parser follows.
        message = message.partition(", but encountered error")[0] + "."
    message = _PYTHON_VALUE.sub(r"\1.", message)
    if len(message) > LONGEST_MESSAGE:
        message = message[: LONGEST_MESSAGE - 1] + "…"
    return _PYTHON_WORDS.sub(lambda word: _IN_JSON.get(word[0], word[0]), message)
