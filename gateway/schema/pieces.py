"""Executes operations of many values in pieces, so that other requests have their turns."""

import asyncio
from collections.abc import Iterable
from time import perf_counter
from typing import Any

from graphql import DocumentNode, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.schema.context import Context

# Values beyond which an execution waits for a turn, and is cut into pieces: about 4 and 30 ms.
MEDIUM, LONG = 500, 4000
SECONDS_OF_A_PIECE = 0.01


class Execution(StrawberryGraphQLCoreExecutionContext):
    """Executes an operation: in a turn or in pieces if it is long, else as Strawberry does."""

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Returns the executor, or the errors of the variables."""
        values = context_value.values if isinstance(context_value, Context) else 0
        chosen: type[StrawberryGraphQLCoreExecutionContext] = StrawberryGraphQLCoreExecutionContext
        if values > MEDIUM:
            chosen = ExecutionInPieces if values > LONG else ExecutionInTurn
        return chosen.build(schema, document, root_value, context_value, *args, **kwargs)


class ExecutionInTurn(StrawberryGraphQLCoreExecutionContext):
    """Takes a turn before each list that is not inside of a list."""

    _is_inside_a_list = False

    def complete_iterable_value(
        self, item_type: Any, nodes: Any, info: Any, path: Any, items: Iterable[Any], position: Any
    ) -> Any:
        """Returns the completed rows of a list."""
        complete = super().complete_iterable_value
        if self._is_inside_a_list:
            return complete(item_type, nodes, info, path, items, position)

        async def complete_in_turn() -> Any:
            await self._take_turn()
            self._is_inside_a_list = True
            try:
                completed = complete(item_type, nodes, info, path, items, position)
            finally:
                self._is_inside_a_list = False
            return await completed if self.is_awaitable(completed) else completed

        return complete_in_turn()

    async def _take_turn(self) -> None:
        context: Context = self.context_value
        await context.turns.take(context.client.name)


class ExecutionInPieces(ExecutionInTurn):
    """Takes a turn before each root field, and after each piece of a list.

    A list inside of a list belongs to the piece of its row.
    """

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Returns the awaitable result of the operation."""
        return self._execute_operation(serially)

    async def _execute_operation(self, serially: bool | None) -> Any:
        context: Context = self.context_value
        async with context.turns.long_execution(context.client.name):
            result = super().execute_operation(serially)
            return await result if self.is_awaitable(result) else result

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, nodes: Any, path: Any, position: Any
    ) -> Any:
        """Returns the value of a field."""
        if path.prev is None:
            return self._execute_root_field(parent_type, source, nodes, path, position)
        return super().execute_field(parent_type, source, nodes, path, position)

    async def _execute_root_field(self, *field: Any) -> Any:
        await self._take_turn()
        value = super().execute_field(*field)
        return await value if self.is_awaitable(value) else value

    def complete_iterable_value(
        self, item_type: Any, nodes: Any, info: Any, path: Any, items: Iterable[Any], position: Any
    ) -> Any:
        """Returns the completed rows of a list."""
        if self._is_inside_a_list:
            return super().complete_iterable_value(item_type, nodes, info, path, items, position)
        return self._complete_in_pieces(item_type, nodes, info, path, items, position)

    async def _complete_in_pieces(
        self, item_type: Any, nodes: Any, info: Any, path: Any, items: Iterable[Any], position: Any
    ) -> list[Any]:
        completed: list[Any] = []
        awaitable: list[int] = []
        await self._take_turn()
        began_at = perf_counter()
        for index, item in enumerate(items):
            if perf_counter() - began_at > SECONDS_OF_A_PIECE:
                await self._take_turn()
                began_at = perf_counter()
            self._is_inside_a_list = True
            try:
                if self.complete_list_item_value(
                    item, completed, item_type, nodes, info, path.add_key(index, None), position
                ):
                    awaitable.append(index)
            except Exception:
                self.settle_in_background([completed[at] for at in awaitable])
                raise
            finally:
                self._is_inside_a_list = False
        values = await asyncio.gather(*(completed[at] for at in awaitable))
        for at, value in zip(awaitable, values, strict=True):
            completed[at] = value
        return completed
