"""Realistic rows for a store, the same on every start."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice, product
from random import Random
from uuid import UUID

from gateway.emulator.members import Members
from gateway.emulator.rows import SegmentRow, ShopperProfileRow, Table
from gateway.emulator.seed_shoppers import FIRST_DAY, customer_rows, profile_rows, wire_date
from gateway.emulator.store import MAXIMUM_SEGMENTS, Store

DEFAULT_SEGMENTS = 120
# Not documented: a store has as many as customers. This is the emulator's own bound.
MAXIMUM_PROFILES = 250_000
DEFAULT_PROFILES = 20_000

SHOPPERS = (
    ("VIP customers", "Lifetime spend in the top five percent."),
    ("First-time buyers", "Exactly one order so far."),
    ("Repeat buyers", "Two or more orders in the last twelve months."),
    ("Lapsed customers", "No order for half a year after at least three."),
    ("Newsletter subscribers", None),
    ("Abandoned carts", "Left a cart with more than $50 in the last seven days."),
    ("Wholesale accounts", "Buy on account, with net terms."),
    ("Loyalty gold", "Gold tier of the loyalty programme."),
    ("Gift shoppers", "Ship to another address than their own."),
    ("Discount seekers", "Order only with a coupon."),
    ("Big baskets", "Average order above $250."),
    ("App users", None),
    ("Gear testers", "Volunteered to review products before launch."),
    ("Students", "Verified with a student card."),
    ("Trade professionals", "Contractors and designers with a trade account."),
    ("Dormant accounts", "Registered, but never ordered."),
    ("Early adopters", "Ordered a product in its first week."),
    ("Subscription members", None),
    ("High returns", "Sent back more than a third of what they bought."),
    ("Birthday this month", "For the birthday coupon."),
)
PLACES = (
    "",
    "US West",
    "US East",
    "Midwest",
    "Texas",
    "Canada",
    "Québec",
    "United Kingdom",
    "Ireland",
    "Germany",
    "France",
    "Spain",
    "Italy",
    "Nordics",
    "Benelux",
    "Australia",
    "New Zealand",
    "Japan",
    "Singapore",
    "Brazil",
    "México",
    "South Africa",
    "Poland",
    "Switzerland",
    "Austria",
)
OCCASIONS = ("", "Black Friday")


def seeded_store(
    segments: int = DEFAULT_SEGMENTS, profiles: int = DEFAULT_PROFILES, seed: int = 2026
) -> Store:
    """Returns a store of 0 to 1000 segments that share 0 to 250,000 shopper profiles.

    The first segment has all profiles, the second every second one, the n-th every n-th one.
    Customer n has profile n; one more customer for each 20 profiles has none. The first rows are
    the same for any numbers. Profiles and customers are made at their first use. Raises
    `ValueError` for numbers out of range.
    """
    if not 0 <= segments <= MAXIMUM_SEGMENTS:
        raise ValueError(f"a store has 0 to {MAXIMUM_SEGMENTS} segments, {segments} were asked for")
    if not 0 <= profiles <= MAXIMUM_PROFILES:
        raise ValueError(f"a store has 0 to {MAXIMUM_PROFILES} profiles, {profiles} were asked for")
    rows = list(islice(_segments(Random(seed)), segments))  # noqa: S311 - no secret, a seed
    first, everybody = tuple(rows), partial(profile_rows, profiles, seed)
    return Store(
        rows,
        Table(everybody),
        Members(lambda: seeded_members(first, everybody())),
        Table(partial(customer_rows, profiles, seed)),
    )


def seeded_members(
    segments: Sequence[SegmentRow], profiles: Sequence[ShopperProfileRow]
) -> dict[str, Sequence[ShopperProfileRow]]:
    """Returns every n-th profile for the n-th segment, by its id."""
    return {row.id: profiles[n :: n + 1] for n, row in enumerate(segments)}


def _segments(random: Random) -> Iterator[SegmentRow]:
    day = FIRST_DAY
    for occasion, place, (shoppers, description) in product(OCCASIONS, PLACES, SHOPPERS):
        day += timedelta(minutes=random.randrange(30, 2400), seconds=random.randrange(60))
        changed = day + timedelta(minutes=random.choice((0, 0, random.randrange(1, 60 * 24 * 90))))
        yield SegmentRow(
            id=str(UUID(int=random.getrandbits(128), version=4)),
            name=" – ".join(part for part in (shoppers, place, occasion) if part),
            description=description,
            created_at=wire_date(day, random.choice((0, 1))),
            updated_at=wire_date(changed, random.choice((0, 1))),
        )
