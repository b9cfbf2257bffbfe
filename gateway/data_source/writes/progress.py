"""What has become of each item of one mutation, at any moment."""

from collections.abc import Collection, Iterable
from typing import Generic, TypeVar

from gateway.data_source.writes.reasons import not_attempted, outcome_unknown, refused
from gateway.errors import DeadlineTooClose, RateLimited, UpstreamError, UpstreamForbidden
from gateway.user_errors import UserError, UserErrorCode

Done = TypeVar("Done")


class Stopped(Exception):
    """No further request of the mutation is sent."""


class Progress(Generic[Done]):
    """The outcomes of one mutation's items, by their index.

    Once a request failed or the time is over, no further one begins. `changed` are the items for
    which something was changed upstream, or may have been, and `unclear` those of which an answer
    did not say what became of them. `began_at` is when the mutation began, by the cache's clock.
    """

    def __init__(self, items: int, began_at: float) -> None:
        self.outcomes: list[Done | UserError | None] = [None] * items
        self.began_at = began_at
        self.changed: set[int] = set()
        self.unclear: set[int] = set()
        self._in_flight: set[int] = set()
        self._is_stopped = False
        # The first error by which nothing was carried out.
        self._failure: UpstreamError | None = None

    @property
    def may_have_changed(self) -> set[int]:
        """The changed items, and those whose request is in flight."""
        return self.changed | self._in_flight

    @property
    def is_stopped(self) -> bool:
        """Whether no further request begins."""
        return self._is_stopped

    def is_pending(self, index: int) -> bool:
        """Whether an item has no outcome yet."""
        return self.outcomes[index] is None

    def has_error(self, index: int, code: UserErrorCode) -> bool:
        """Whether the outcome of an item is an error with this code."""
        outcome = self.outcomes[index]
        return isinstance(outcome, UserError) and outcome.code is code

    def set(self, index: int, outcome: Done | UserError) -> None:
        """Records the outcome of an item."""
        self.outcomes[index] = outcome

    def reset(self, index: int) -> None:
        """Forgets the outcome of an item, which is still to be carried out after all."""
        self.outcomes[index] = None

    def written(self) -> list[Done]:
        """Returns the outcomes of items that were written, not of those that were so already."""
        outcomes = [self.outcomes[index] for index in self.changed]
        return [one for one in outcomes if one is not None and not isinstance(one, UserError)]

    def begin(self, indexes: Iterable[int]) -> None:
        """Records that the request for these items is sent; raises `Stopped` if it must not be."""
        if self._is_stopped:
            raise Stopped
        self._in_flight.update(indexes)

    def end(self, indexes: Collection[int]) -> None:
        """Records that the request for these items has an answer, or has failed."""
        self._in_flight.difference_update(indexes)

    def fail(self, indexes: Collection[int], error: UpstreamError) -> None:
        """Records that the request for these items failed; no further one begins."""
        self._is_stopped = True
        if isinstance(error, UpstreamForbidden) and error.was_sent:
            self.block(error)
            for index in indexes:
                self.set(index, refused(error))
        elif isinstance(error, RateLimited) or not error.was_sent:
            self.block(error)
        else:
            self.changed.update(indexes)
            for index in indexes:
                self.set(index, outcome_unknown())

    def block(self, error: UpstreamError) -> None:
        """Records an error by which nothing was changed; no further request begins."""
        self._is_stopped = True
        self._failure = self._failure or error

    def stop(self) -> None:
        """Records that the time for the mutation is over: no further request begins."""
        if any(map(self.is_pending, range(len(self.outcomes)))):
            self.block(DeadlineTooClose())

    def report(self) -> list[Done | UserError]:
        """Returns the outcome of each item, in order.

        Raises the error by which the mutation ended if nothing was changed.
        """
        if self._failure is not None and not self.may_have_changed:
            raise self._failure
        return [
            self._unfinished(index) if outcome is None else outcome
            for index, outcome in enumerate(self.outcomes)
        ]

    def _unfinished(self, index: int) -> UserError:
        if index in self._in_flight or index in self.unclear:
            return outcome_unknown()
        return not_attempted(self._failure)
