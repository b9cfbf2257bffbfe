"""What is answered from this process's memory, before all else.

The ordinary way through the application costs more than most of these answers. It is taken in all
other cases: here, any doubt hands the request on.
"""

from collections.abc import Mapping
from functools import lru_cache
from time import perf_counter
from typing import Final, NamedTuple, Protocol

from starlette.types import Scope

from gateway.at_once import WholeAnswer
from gateway.identity import Client
from gateway.instrumentation import OFF, Instrumentation
from gateway.logs import request_in_progress
from gateway.trace_context import trace_headers
from gateway.web.answers import RawResponse, head_lines
from gateway.web.browsers import Browsers
from gateway.web.graphql import ASKED, PATH, READS
from gateway.web.negotiation import GRAPHQL_RESPONSE, HTML, JSON, choose_media_type
from gateway.web.ready_answers import POST, OperationRequest, ReadyAnswers
from gateway.web.request_id import COMMON_HEADERS, id_of

OFFERED: Final = (JSON, GRAPHQL_RESPONSE)
# The headers that decide whether a request is answered here.
CHECKED_HEADERS: Final = (
    b"host",
    b"origin",
    b"sec-fetch-site",
    b"accept",
    b"content-type",
    b"content-encoding",
)
# No value of a header has one of these: the server refuses them.
LINE_END: Final = b"\n"
ABSENT: Final = b"\0"
NOT_GIVEN: Final = (ABSENT,) * len(CHECKED_HEADERS)
# All of them together: what they decide is remembered.
MAXIMUM_CHECKED_BYTES: Final = 1000
JSON_TYPES: Final = (b"application/json", b"application/json; charset=utf-8")


class Negotiated(NamedTuple):
    """The media type of an answer, and the lines of its head that depend on the request's head."""

    media_type: str
    lines: bytes


class AtOnce(Protocol):
    """Names clients without a wait, as `Authentication` does."""

    def at_once(self, scope: Scope, authorization: bytes | None) -> Client | None:
        """Returns the client of a request's `Authorization`; None if that takes a wait."""


class Front:
    """Answers what is ready, before the application is called."""

    def __init__(
        self,
        ready: ReadyAnswers,
        authentication: AtOnce,
        browsers: Browsers,
        *,
        max_body_bytes: int,
        get_documents: bool,
        instrumentation: Instrumentation = OFF,
    ) -> None:
        self._ready = ready
        self._authentication = authentication
        self._browsers = browsers
        self._max_body_bytes = max_body_bytes
        self._get_documents = get_documents
        self._instrumentation = instrumentation
        # Clients send a handful of different headers.
        self._negotiate = lru_cache(256)(self._negotiated)

    def answer_at_once(self, scope: Scope, body: bytes) -> WholeAnswer | None:
        """Returns the answer to a request, None if it is not ready."""
        if scope["path"] != PATH:
            return None
        began_at = perf_counter()
        headers = dict(scope["headers"])
        request_id = id_of(headers.get(b"x-request-id"))
        scope["request_id"] = name = request_id.decode()
        request_in_progress.set(name)  # not reset: each request has a context of its own
        if (traceparent := headers.get(b"traceparent")) is not None:
            trace_headers.set((traceparent, headers.get(b"tracestate", b"")))
        answer = self._find(scope, headers, body)
        if answer is None:
            return None
        response, lines = answer
        whole = response.whole(b"x-request-id: %b\r\n%b" % (request_id, lines))
        self._instrumentation.answered_at_once(response, scope["method"], began_at)
        return whole

    def _find(
        self, scope: Scope, headers: Mapping[bytes, bytes], body: bytes
    ) -> tuple[RawResponse, bytes] | None:
        """Returns the answer that is ready, and further lines of its head."""
        if len(headers) < len(scope["headers"]):  # several of one name
            return None
        checked = LINE_END.join(map(headers.get, CHECKED_HEADERS, NOT_GIVEN))
        if len(checked) > MAXIMUM_CHECKED_BYTES:
            return None
        negotiated = self._negotiate(scope["method"], checked)
        if negotiated is None:
            return None
        asked = self._asked(scope, headers, body, negotiated.media_type)
        if asked is None:
            return None
        scope[ASKED] = asked  # so that the ordinary way need not read it again
        response = self._ready.find(asked)
        return None if response is None else (response, negotiated.lines)

    def _asked(
        self, scope: Scope, headers: Mapping[bytes, bytes], body: bytes, media_type: str
    ) -> OperationRequest | None:
        """Returns the request; None if its client is not known at once, or its body too large."""
        get = headers.get
        authorization = get(b"authorization")
        client = self._authentication.at_once(scope, authorization)
        if client is None:
            return None
        if scope["method"] == POST:
            if len(body) > self._max_body_bytes:
                return None
            return OperationRequest(
                PATH, body, media_type, client, has_authorization=authorization is not None
            )
        return OperationRequest(
            PATH,
            scope["query_string"],
            media_type,
            client,
            has_authorization=authorization is not None,
            is_read=True,
            if_none_match=get(b"if-none-match", b"").decode("latin-1"),
            may_have_document=self._get_documents or b"sec-fetch-site" in headers,
        )

    def _negotiated(self, method: str, checked: bytes) -> Negotiated | None:
        """Returns what these headers decide; None for a request that is handed on."""
        values = [None if value == ABSENT else value for value in checked.split(LINE_END)]
        host, origin, site, accept, content_type, encoding = values
        if not self._browsers.admit(host, origin, site) or encoding is not None:
            return None
        accepted = (accept or b"").decode("latin-1")
        media_type = None
        if method == POST and content_type in JSON_TYPES:
            media_type = choose_media_type(accepted, OFFERED)
        elif method in READS:
            media_type = choose_media_type(accepted, (*OFFERED, HTML))
        if media_type in (None, HTML):
            return None
        headers = [*COMMON_HEADERS, *self._browsers.headers_for(origin)]
        return Negotiated(media_type, head_lines(headers))
