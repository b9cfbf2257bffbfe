"""One pipeline of all that takes what the parts report: metrics, spans, the log of requests."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from gateway.instrumentation import (
    OFF,
    Instrumentation,
    OperationRecord,
    ReadyAnswer,
    Step,
    UpstreamRecord,
)


def recording(parts: Sequence[Instrumentation]) -> Instrumentation:
    """Returns what reports to all of these: to none, to the one, or to each in its order."""
    if not parts:
        return OFF
    return parts[0] if len(parts) == 1 else Recording(parts)


class Recording(Instrumentation):
    """Hands what is reported on to each of `parts`; the first one begins first, and ends last."""

    def __init__(self, parts: Sequence[Instrumentation]) -> None:
        self._parts = parts

    @contextmanager
    def operation(self, record: OperationRecord) -> Iterator[None]:
        """Surrounds the request of an operation."""
        with ExitStack() as stack:
            for part in self._parts:
                stack.enter_context(part.operation(record))
            yield

    def answered_at_once(self, answer: ReadyAnswer, method: str, began_at: float) -> None:
        """Reports a query that was answered without a wait."""
        for part in self._parts:
            part.answered_at_once(answer, method, began_at)

    @contextmanager
    def step(self, step: Step) -> Iterator[None]:
        """Surrounds a step of an operation."""
        with ExitStack() as stack:
            for part in self._parts:
                stack.enter_context(part.step(step))
            yield

    @contextmanager
    def upstream_request(self, record: UpstreamRecord) -> Iterator[None]:
        """Surrounds one upstream request."""
        with ExitStack() as stack:
            for part in self._parts:
                stack.enter_context(part.upstream_request(record))
            yield

    def place(self) -> object:
        """Returns the place of the one part that asks for it."""
        places = (part.place() for part in self._parts)
        return next((place for place in places if place is not None), None)

    @contextmanager
    def batch(self, collection: str, size: int, places: Sequence[object]) -> Iterator[None]:
        """Surrounds a batch of ids."""
        with ExitStack() as stack:
            for part in self._parts:
                stack.enter_context(part.batch(collection, size, places))
            yield
