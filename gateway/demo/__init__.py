"""The same tasks done twice before one's eyes: by raw REST, and through the gateway.

tally        what a side has answered so far, and what that cost the store
reader       what a page or a client asks for; each side has its own way to get it
rest         by REST, as BigCommerce documents it
graph        by GraphQL, through the gateway
tasks        the tasks, each the same for both sides
store        the emulated store and the gateway, each on a free port of loopback
attempts     one side's attempt at one task
report       all text: the opening, a line and a bar for a side, the table, the closing
performance  the tasks in their order, on the screen or as plain lines

It asks no real store and reads no setting. The figures are those that the emulator counts.
"""

from gateway.demo.performance import Screen, perform
from gateway.demo.store import StoreTerms
from gateway.demo.tasks import TASKS

__all__ = ["TASKS", "Screen", "StoreTerms", "perform"]
