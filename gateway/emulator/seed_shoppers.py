"""Realistic shopper profiles and customers, the same on every start."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from gateway.emulator.rows import CustomerRow, ShopperProfileRow

FIRST_DAY = datetime(2023, 3, 6, 9, 0)
# A step and the time until the last change, in seconds: 250,000 profiles take less than 3 years.
LONGEST_STEP = 360
LONGEST_UNTIL_CHANGE = 60 * 60 * 24 * 90
# One more customer without a profile for each of these profiles.
PROFILES_TO_ONE_WITHOUT = 20

FIRST_NAMES = (
    "Amelia", "Noah", "Chloé", "Mateo", "Priya", "Lukas", "Yuki", "Fatima", "Oliver", "Zoë",
    "Ingrid", "Diego", "Aisha", "Henry", "Mei", "Tomasz", "Nadia", "Jack", "Leila", "Søren",
    "Grace", "Kofi", "Elena", "Ravi", "Hannah", "Marcus", "Siobhán", "Andrei", "Camila", "Theo",
    "Wanjiru",
)  # fmt: skip
LAST_NAMES = (
    "Nguyen", "Smith", "García", "Müller", "Okafor", "Tanaka", "Kowalski", "Dubois", "Patel",
    "Rossi", "Andersson", "O'Brien", "Silva", "Haddad", "Kim", "Novak", "Johnson", "Mensah",
    "van Dijk", "Ferrari", "Lindqvist", "Walker", "Cohen", "Ivanova", "Moreau", "Bianchi",
    "Schmidt", "Chen", "Murphy", "Hernández", "Larsen", "Abdi", "Wright", "Popescu", "Castro",
    "Baker", "Yamamoto",
)  # fmt: skip
COMPANIES = ("", "", "", "Northwind Outfitters", "", "Harbour & Sons", "", "Fjord Supply", "")
_PLAIN = str.maketrans("éëøáíüñ' ", "eeoaiun--")
_LAST_DIGITS = ("Z", ".000Z")  # the two formats of the real API


@lru_cache(maxsize=4)  # each test creates a store
def profile_rows(profiles: int, seed: int) -> Sequence[ShopperProfileRow]:
    """Returns the shopper profiles of the customers 1 to `profiles`."""
    random, day, rows = Random(f"{seed}, profiles"), FIRST_DAY, []  # noqa: S311 - no secret, a seed
    for customer_id in range(1, profiles + 1):
        bits = random.getrandbits(160)
        day += timedelta(seconds=1 + bits % LONGEST_STEP)
        changed = day + timedelta(seconds=(bits >> 10) % LONGEST_UNTIL_CHANGE * (bits >> 40 & 1))
        rows.append(
            ShopperProfileRow(
                _uuid_4(f"{bits:040x}"),
                customer_id,
                wire_date(day, bits),
                wire_date(changed, bits >> 1),
            )
        )
    return tuple(rows)


@lru_cache(maxsize=4)
def customer_rows(profiles: int, seed: int) -> Sequence[CustomerRow]:
    """Returns the customers 1 to `profiles`, and one more for each 20 of them."""
    return tuple(
        _customer(n, seed) for n in range(1, profiles + profiles // PROFILES_TO_ONE_WITHOUT + 1)
    )


def _customer(n: int, seed: int) -> CustomerRow:
    first = FIRST_NAMES[(n + seed) % len(FIRST_NAMES)]
    last = LAST_NAMES[(n + n // len(LAST_NAMES)) % len(LAST_NAMES)]
    address = f"{first}.{last}.{n}".lower().translate(_PLAIN)
    date = wire_date(FIRST_DAY + timedelta(minutes=n), n)
    return CustomerRow(
        id=n,
        email=f"{address}@example.{'org' if n % 3 == 0 else 'com'}",
        first_name=first,
        last_name=last,
        company=COMPANIES[n % len(COMPANIES)],
        phone=f"+1 555 01{n % 100:02}",
        notes="Prefers delivery in the morning." if n % 4 == 0 else "",
        customer_group_id=n % 3,
        tax_exempt_category="",
        registration_ip_address=f"192.0.2.{n % 256}",
        date_created=date,
        date_modified=date,
        address_count=1,
        accepts_product_review_abandoned_cart_emails=n % 2 == 0,
        origin_channel_id=1,
    )


def _uuid_4(digits: str) -> str:
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def wire_date(moment: datetime, number: int) -> str:
    """Returns the date in one of the two formats of the real API, chosen by the number."""
    return moment.isoformat() + _LAST_DIGITS[number % 2]
