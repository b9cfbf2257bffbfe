"""A contender: uvicorn that sends given bytes for each path, and does not read the request.

`python -m benchmarks.warm.static PORT FILE`, where FILE is JSON: answers by path.
"""

import sys
from pathlib import Path

import msgspec
import uvicorn
from starlette.types import Message, Receive, Scope, Send


class FixedAnswer(msgspec.Struct):
    """The status, headers and body of an answer."""

    status: int
    headers: list[tuple[str, str]]
    body: str


def messages(answer: FixedAnswer) -> tuple[Message, Message]:
    """Returns the ASGI messages of an answer."""
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    return (
        {"type": "http.response.start", "status": answer.status, "headers": headers},
        {"type": "http.response.body", "body": answer.body.encode()},
    )


def main(port: int, path: Path) -> None:
    """Serves until a signal."""
    answers = msgspec.json.decode(path.read_bytes(), type=dict[str, FixedAnswer])
    sent = {name: messages(answer) for name, answer in answers.items()}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start, body = sent[scope["path"]]
        await send(start)
        await send(body)

    uvicorn.run(
        app,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="critical",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
