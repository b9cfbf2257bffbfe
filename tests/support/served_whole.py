"""What the gateway's own server adds: answers at once, to requests whose body has come."""

from starlette.types import Message, Receive, Scope, Send

from gateway.web.routes import Web


class ServedWhole:
    """ASGI application: turns answers at once into ASGI's own messages.

    `whole_answers` is how many there were.
    """

    def __init__(self, app: Web) -> None:
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

        answer = self._app.answer_at_once(scope, body)
        if answer is None:
            await self._app(scope, receive_whole, send)
            return
        self.whole_answers += 1
        lines = answer.lines.removesuffix(b"\r\n").split(b"\r\n")
        headers = [line.partition(b": ")[::2] for line in lines]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"".join(answer.parts)})
