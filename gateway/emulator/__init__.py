"""A BigCommerce store inside the process: state below (`store`), wire above (`app`, `control`).

It answers as the real API is documented to answer, and shares no code with the client that asks
it. What it leaves out, and what it decided where nobody knows, stands in docs/emulator.md.
"""

from gateway.emulator.app import Emulator
from gateway.emulator.control import CONTROL_PATH
from gateway.emulator.create import create_emulator
from gateway.emulator.faults import Fault, Faults, Rule
from gateway.emulator.latency import Constant, Latency, Lognormal, Uniform
from gateway.emulator.seed import seeded_store
from gateway.emulator.store import SegmentRow, ShopperProfileRow, Store

__all__ = [
    "CONTROL_PATH",
    "Constant",
    "Emulator",
    "Fault",
    "Faults",
    "Latency",
    "Lognormal",
    "Rule",
    "SegmentRow",
    "ShopperProfileRow",
    "Store",
    "Uniform",
    "create_emulator",
    "seeded_store",
]
