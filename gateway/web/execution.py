"""Executes an operation by graphql-core."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.errors import ErrorCode
from gateway.schema import Context, OperationNotNamed, Overloaded
from gateway.web.graphql_request import GraphQLRequest
from gateway.web.hang_up import unless_hung_up
from gateway.web.request_error import RequestError

# A long execution that was refused has waited as long.
RETRY_LONG_SECONDS = "2"

SchemaFor = Callable[[str, str], Awaitable[strawberry.Schema]]
"""Returns the schema that executes a document of a client; raises `GraphQLError`."""


@dataclass(frozen=True, slots=True)
class Executed:
    """The result of an operation, and whether it is a query."""

    result: ExecutionResult
    is_query: bool


@dataclass(frozen=True, slots=True)
class OperationExecution:
    """The execution of operations; a hang-up cancels a query, never a mutation."""

    schema_for: SchemaFor

    async def execute(
        self,
        request: Request,
        asked: GraphQLRequest,
        document: str,
        context: Context,
        client: str,
    ) -> Executed:
        """Executes the operation of a request, whose body has been received.

        `client` is the name of the client. Raises `RequestError` if the request names no operation,
        or one that it may not ask for, and `ClientDisconnect`.
        """
        try:
            query = self._execute(asked, document, context, client, OperationType.QUERY)
            return Executed(await unless_hung_up(request.receive, query), is_query=True)
        except OperationNotNamed as error:
            raise RequestError(
                400, "The document has several operations: name one in `operationName`."
            ) from error
        except CannotGetOperationTypeError as error:
            message = "The document has no operation"
            if asked.operation_name is not None:
                message += " with the name in `operationName`"
            raise RequestError(400, f"{message}.") from error
        except InvalidOperationTypeError as error:
            if error.operation_type is not OperationType.MUTATION:
                raise RequestError(400, "Subscriptions are not offered: poll instead.") from error
            if request.method != "POST":
                raise RequestError(
                    405, "A GET may only query: send a POST.", headers={"Allow": "POST"}
                ) from error
        # A write runs to its end, even when the client disconnects.
        mutation = self._execute(asked, document, context, client, OperationType.MUTATION)
        return Executed(await mutation, is_query=False)

    async def _execute(
        self,
        asked: GraphQLRequest,
        document: str,
        context: Context,
        client: str,
        operation_type: OperationType,
    ) -> ExecutionResult:
        try:
            schema = await self.schema_for(document, client)
        except GraphQLError as error:
            return PreExecutionError(data=None, errors=[error])
        result = await schema.execute(
            document,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            allowed_operation_types=(operation_type,),
            operation_extensions=asked.extensions,
        )
        if isinstance(result, PreExecutionError):
            _raise_if_overloaded(result)
        return result


def _raise_if_overloaded(result: PreExecutionError) -> None:
    for error in result.errors or ():
        if isinstance(error.original_error, Overloaded):
            raise RequestError(
                503,
                error.message,
                code=ErrorCode.OVERLOADED,
                headers={"Retry-After": RETRY_LONG_SECONDS},
            )
