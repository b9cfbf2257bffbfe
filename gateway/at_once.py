"""Answers that need no wait: what an application may offer beside ASGI."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from starlette.types import Scope


class WholeAnswer(NamedTuple):
    """An answer that is there whole: all lines of its head, and the parts of its body.

    The application has checked that no header has a control character. The server adds its own
    headers, and leaves the body out for HEAD.
    """

    status: int
    lines: bytes
    parts: Sequence[bytes | memoryview]


AnswerAtOnce = Callable[[Scope, bytes], WholeAnswer | None]
"""Returns the answer to a request, from its ASGI scope and its whole body.

None if it takes a wait: then the request goes to the ASGI application, with the same scope. An
application offers it as its attribute `answer_at_once`. It is called by the event loop, in a
context of its own, which is that of the application, too.
"""


def no_answer(_scope: Scope, _body: bytes) -> None:
    """Has no answer to any request."""
