"""Realistic rows for a store, the same on every start."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, product
from random import Random
from uuid import UUID

from gateway.emulator.store import SegmentRow, ShopperProfileRow, Store

# Documented: at most 1000 segments to a store.
MAXIMUM_SEGMENTS = 1000
DEFAULT_SEGMENTS = 120
# Not documented: a store has as many as customers. This is the emulator's own bound.
MAXIMUM_PROFILES = 250_000
DEFAULT_PROFILES = 1000
FIRST_DAY = datetime(2023, 3, 6, 9, 0, tzinfo=UTC)

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

    The first segment has all profiles, the second every second one, the n-th every n-th one. The
    first rows are the same for any numbers. Raises `ValueError` for numbers out of range.
    """
    if not 0 <= segments <= MAXIMUM_SEGMENTS:
        raise ValueError(f"a store has 0 to {MAXIMUM_SEGMENTS} segments, {segments} were asked for")
    if not 0 <= profiles <= MAXIMUM_PROFILES:
        raise ValueError(f"a store has 0 to {MAXIMUM_PROFILES} profiles, {profiles} were asked for")
    rows = list(islice(_segments(Random(seed)), segments))  # noqa: S311 - no secret, a seed
    everybody = _profiles(profiles, seed)
    members = {row.id: list(everybody[n :: n + 1]) for n, row in enumerate(rows)}
    return Store(rows, list(everybody), members)


def _segments(random: Random) -> Iterator[SegmentRow]:
    day = FIRST_DAY
    for occasion, place, (shoppers, description) in product(OCCASIONS, PLACES, SHOPPERS):
        day += timedelta(minutes=random.randrange(30, 2400), seconds=random.randrange(60))
        changed = day + timedelta(minutes=random.choice((0, 0, random.randrange(1, 60 * 24 * 90))))
        yield SegmentRow(
            id=str(UUID(int=random.getrandbits(128), version=4)),
            name=" – ".join(part for part in (shoppers, place, occasion) if part),
            description=description,
            created_at=_wire_date(day, random),
            updated_at=_wire_date(changed, random),
        )


@lru_cache(maxsize=1)  # each test creates a store
def _profiles(profiles: int, seed: int) -> tuple[ShopperProfileRow, ...]:
    random, day = Random(f"{seed}, profiles"), FIRST_DAY  # noqa: S311 - no secret, a seed
    rows = []
    for customer_id in range(1, profiles + 1):
        day += timedelta(seconds=random.randrange(1, 1200))
        changed = day + timedelta(minutes=random.choice((0, 0, random.randrange(1, 60 * 24 * 90))))
        rows.append(
            ShopperProfileRow(
                id=str(UUID(int=random.getrandbits(128), version=4)),
                customer_id=customer_id,
                created_at=_wire_date(day, random),
                updated_at=_wire_date(changed, random),
            )
        )
    return tuple(rows)


def _wire_date(moment: datetime, random: Random) -> str:
    """Returns the date in one of the two formats of the real API."""
    return moment.strftime(random.choice(("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z")))
