"""What is answered from this process's memory, before all else.

The ordinary way through the application costs more than most of these answers. It is taken in all
other cases: here, any doubt hands the request on.
"""

import logging
from collections.abc import Mapping
from typing import Final, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.identity import Client
from gateway.web.answers import RawResponse
from gateway.web.browsers import Browsers
from gateway.web.graphql import READS, SOUGHT
from gateway.web.negotiation import GRAPHQL_RESPONSE, HTML, JSON, choose_media_type
from gateway.web.ready_answers import POST, Asked, ReadyAnswers
from gateway.web.request_id import COMMON_HEADERS, id_of

log = logging.getLogger(__name__)

PATH: Final = "/graphql"
# Set by the server: the body of a request, if all of it had come when the request began.
WHOLE_BODY: Final = "gateway.whole_body"
OFFERED: Final = (JSON, GRAPHQL_RESPONSE)
JSON_TYPES: Final = (b"application/json", b"application/json; charset=utf-8")


class AtOnce(Protocol):
    """Names clients without a wait, as `Authentication` does."""

    def at_once(self, scope: Scope, authorization: bytes | None) -> Client | None:
        """Returns the client of a request's `Authorization`; None if that takes a wait."""


class Front:
    """ASGI middleware: sends an answer that is ready, or hands the request on to `app`."""

    def __init__(
        self,
        app: ASGIApp,
        ready: ReadyAnswers,
        authentication: AtOnce,
        browsers: Browsers,
        *,
        max_body_bytes: int,
        get_documents: bool,
    ) -> None:
        self._app = app
        self._ready = ready
        self._authentication = authentication
        self._browsers = browsers
        self._max_body_bytes = max_body_bytes
        self._get_documents = get_documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or hands it on."""
        answer = None
        if scope.get("path") == PATH:
            try:
                answer = self._find(scope)
            except Exception:
                log.exception("a ready answer failed; the request is executed")
        if answer is None:
            await self._app(scope, receive, send)
        else:
            await answer(scope, receive, send)

    def _find(self, scope: Scope) -> RawResponse | None:
        headers = dict(scope["headers"])
        asked = self._asked(scope, headers)
        if asked is None or len(headers) < len(scope["headers"]):  # several of one name
            return None
        scope[SOUGHT] = True
        answer = self._ready.find(asked)
        if answer is not None:
            request_id = id_of(headers.get(b"x-request-id"))
            answer.headers += [(b"x-request-id", request_id), *COMMON_HEADERS]
        return answer

    def _asked(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Asked | None:
        """Returns the request; None if its answer depends on more than what is looked at here."""
        if not self._browsers.passes_unchanged(scope, headers):
            return None
        get, method = headers.get, scope["method"]
        accept = get(b"accept", b"").decode("latin-1")
        client = self._authentication.at_once(scope, get(b"authorization"))
        if client is None:
            return None
        if method == POST:
            body: bytes | None = scope.get(WHOLE_BODY)
            media_type = choose_media_type(accept, OFFERED)
            if (
                body is None
                or media_type is None
                or len(body) > self._max_body_bytes
                or get(b"content-type") not in JSON_TYPES
                or b"content-encoding" in headers
            ):
                return None
            return Asked(POST, PATH, body, media_type, client)
        media_type = choose_media_type(accept, (*OFFERED, HTML))
        if method not in READS or media_type in (HTML, None):
            return None
        return Asked(
            method,
            PATH,
            scope["query_string"],
            media_type,
            client,
            if_none_match=get(b"if-none-match", b"").decode("latin-1"),
            may_have_document=self._get_documents or b"sec-fetch-site" in headers,
        )
