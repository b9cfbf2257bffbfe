"""Why a request was not sent: it cost nothing, says nothing about the upstream, and is not retried.

All three raise sooner than a request could be answered, in place of waiting in vain.
"""

import math

from gateway.errors import RateLimited, UpstreamTimeout, UpstreamUnavailable


class QuotaUsedUp(RateLimited):
    """The quota does not come back in time; `retry_after` is whole seconds, 1 at the least."""

    def __init__(self, seconds: float) -> None:
        after = max(1, math.ceil(seconds))
        when = "1 second" if after == 1 else f"{after} seconds"
        super().__init__(
            f"The store's API limits its rate. Try again in {when}.", after, was_sent=False
        )


class TooLate(UpstreamTimeout):
    """Hardly any time is left."""

    def __init__(self) -> None:
        super().__init__("The store's API did not answer in time.", was_sent=False)


class ShutOff(UpstreamUnavailable):
    """The upstream counts as dead."""

    def __init__(self) -> None:
        super().__init__(
            "The store's API has failed again and again, and is asked again in a moment.",
            was_sent=False,
        )


NOT_SENT = (QuotaUsedUp, TooLate, ShutOff)
