"""A BigCommerce store inside the process, as modules from state to wire.

store              segments and shopper profiles, and which profiles a segment has
seed               rows for it, the same on every start
faults             rules: which request is answered wrongly, and how
paging             `page`, `limit` and `id:in` in, one page with its pagination out
resources          the common parts of all operations
answers            error objects, and faults in place of a list
segments           `/segments`
shopper_profiles   `/segments/{segment_id}/shopper-profiles`
rate_limit_window  the quota of each window
wire               faults of the connection
app                the order of the checks
control            `/_emulator/…`: faults, behaviour and counts while it runs
options            faults and latencies on the command line
create             all of it as an ASGI application

It answers as the real API is documented to answer, and shares no code with the gateway. Its limits
and its assumptions are in docs/emulator.md.
"""

from gateway.emulator.app import Emulator, Latency
from gateway.emulator.control import CONTROL_PATH
from gateway.emulator.create import create_emulator
from gateway.emulator.faults import Fault, Faults, Rule
from gateway.emulator.seed import seeded_store
from gateway.emulator.store import SegmentRow, ShopperProfileRow, Store

__all__ = [
    "CONTROL_PATH",
    "Emulator",
    "Fault",
    "Faults",
    "Latency",
    "Rule",
    "SegmentRow",
    "ShopperProfileRow",
    "Store",
    "create_emulator",
    "seeded_store",
]
