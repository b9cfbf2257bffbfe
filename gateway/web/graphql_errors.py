"""What clients are told of errors: always a code, never a stack or a word of Python."""

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

# Quoted text is the client's own and stays; outside of it these words are graphql-core's.
_PYTHON_WORDS = re.compile(
    r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | \b(?:None|True|False)\b""", re.VERBOSE
)
_IN_JSON = {"None": "null", "True": "true", "False": "false"}
# A message repeats names and texts of the document, however long they are.
LONGEST_MESSAGE = 500

log = logging.getLogger(__name__)


def formatted(
    errors: Sequence[GraphQLError], request_id: str, *, before_execution: bool
) -> list[GraphQLFormattedError]:
    """Returns the errors as the answer holds them; what nobody foresaw is masked and logged.

    Of several unforeseen errors in one answer the log has the stack of the first, and the number.
    """
    shown = []
    unforeseen: list[GraphQLError] = []
    for error in errors:
        one = error.formatted
        root = _root(error)
        if not isinstance(root, GatewayError):  # whose `extensions` hold the code already
            code = _code(error, root, before_execution=before_execution)
            one["extensions"] = {"code": code}
            if code is ErrorCode.INTERNAL_SERVER_ERROR:
                unforeseen.append(error)
                one["message"] = masked_message(request_id)
            else:
                one["message"] = _message(error, root)
        shown.append(one)
    if unforeseen:
        first = unforeseen[0]
        path = ".".join(str(step) for step in first.path or ("no field",))
        log.error(
            "request %s failed at %s (errors: %d)",
            request_id,
            path,
            len(unforeseen),
            exc_info=_root(first),
        )
    return shown


def _root(error: GraphQLError) -> Exception:
    """Returns what was raised in the first place."""
    root: Exception = error
    while isinstance(root, GraphQLError) and root.original_error is not None:
        root = root.original_error
    return root


def _code(error: GraphQLError, root: Exception, *, before_execution: bool) -> ErrorCode:
    if error.path is not None:
        # An argument that only its variable's value makes wrong is reported with its own nodes.
        # Without nodes it is a resolver's result that does not fit the schema: our fault.
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
    if message == "Validation aborted.":  # graphql-core's own bounds, after which it says no more
        return "The document repeats itself too often to be checked. Ask for less."
    if not isinstance(root, GraphQLError):
        # A scalar refused the client's value in words of its own, which follow here.
        message = message.partition(", but encountered error")[0] + "."
    if len(message) > LONGEST_MESSAGE:
        message = message[: LONGEST_MESSAGE - 1] + "…"
    return _PYTHON_WORDS.sub(lambda word: _IN_JSON.get(word[0], word[0]), message)
