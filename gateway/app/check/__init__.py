"""`gateway check`: what the token may do, what the store accepts, and whether Redis works.

`operations` names what is reported, `reading` sends the reads, `findings` has what they show and
what follows for the rest, `remedies` has what to do, `report` is the result. `check` runs it.
Nothing is written to the store.

Exit status: 0 if segments can be read, whatever else is refused or fails. 1 if
* `list_segments` is refused or fails, or `list_segments_by_id` in a store with segments;
* Redis is set, and is not connected or refuses reads or writes;
* no store is set, so that the emulator has answered.
"""

from gateway.app.check.check import check
from gateway.app.check.report import CheckReport

__all__ = ["CheckReport", "check"]
