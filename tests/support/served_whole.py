"""What the gateway's own server adds: whole bodies of requests, and whole answers."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.answers import WHOLE_ANSWER
from gateway.web.front import WHOLE_BODY


class ServedWhole:
    """ASGI application: lets `Front` answer, and turns its answers into ASGI's own messages.

    `whole_answers` is how many there were.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.whole_answers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        body = b""
        more_body = True
        while more_body:
            message = await receive()
            body += message.get("body", b"")
            more_body = message.get("more_body", False)
        bodies: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_whole() -> Message:
            return bodies.pop() if bodies else await receive()

        async def send_apart(message: Message) -> None:
            if message["type"] != WHOLE_ANSWER:
                await send(message)
                return
            self.whole_answers += 1
            lines = message["lines"].removesuffix(b"\r\n").split(b"\r\n")
            headers = [line.partition(b": ")[::2] for line in lines]
            start = {"type": "http.response.start", "status": message["status"]}
            await send({**start, "headers": headers})
            await send({"type": "http.response.body", "body": b"".join(message["parts"])})

        await self._app({**scope, WHOLE_BODY: body}, receive_whole, send_apart)
