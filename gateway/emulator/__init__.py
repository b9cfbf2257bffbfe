"""A BigCommerce store inside the process, as modules from state to wire.

rows               segments, shopper profiles and customers as the wire shows them
members            which profiles a segment has, and which segments a profile is in
store              the state: all of these, and their changes
seed               rows for it, the same on every start
seed_shoppers      shopper profiles and customers for it, made at their first use
operation_names    the names of all operations
faults             rules: which request is answered wrongly, and how
paging             `page`, `limit` and `id:in` in, one page with its pagination out
answers            bodies: rows with a fault, error objects, faults in place of rows
resources          the common parts of all operations
batches            writes: a batch in, its result in one of two dialects out
segments           `/segments`
shopper_profiles   `/shopper-profiles`
memberships        the shopper profiles of a segment, the segments of a shopper profile
customers          `/customers`
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
from gateway.emulator.members import Members
from gateway.emulator.rows import CustomerRow, SegmentRow, ShopperProfileRow, Table
from gateway.emulator.seed import seeded_store
from gateway.emulator.store import Store

__all__ = [
    "CONTROL_PATH",
    "CustomerRow",
    "Emulator",
    "Fault",
    "Faults",
    "Latency",
    "Members",
    "Rule",
    "SegmentRow",
    "ShopperProfileRow",
    "Store",
    "Table",
    "create_emulator",
    "seeded_store",
]
