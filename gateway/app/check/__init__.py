"""`gateway check`: whether settings, store, token and Redis are well, and what to do if not.

`operations` names what is reported of the store, `reading` sends the reads, `findings` has what
they show and what follows for the rest, `remedies` has what to do. From these come the named
checks: `configuration` of the settings, `token_keys` of the issuer of tokens, `store` and `redis`.
`results` has the form of their results. `report` is all of it, `text` its lines, `terminal` their
colours. `check` runs it.

Nothing is written to the store. To Redis, one key is written that expires after a second.

Exit status: 1 if a check has found a problem, else 0.
"""

from gateway.app.check.check import check
from gateway.app.check.report import CheckReport
from gateway.app.check.terminal import report_for

__all__ = ["CheckReport", "check", "report_for"]
