"""Customers by id and by e-mail address."""

from collections.abc import Callable, Sequence
from functools import partial

from gateway.bigcommerce.listings import customer_number
from gateway.data_source import CHARACTERS_OF_AN_ID, characters_in_url
from gateway.errors import BadUserInput, GatewayError
from gateway.identity import AccessScope
from gateway.schema.context import ROWS_TO_AN_ID, Info
from gateway.schema.customer import Customer, customer
from gateway.schema.node import entity_id_of
from gateway.schema.row_lookups import look_up_rows

# RFC 5321, 4.5.3.1.3: a path has 256 bytes, with its angle brackets.
LONGEST_EMAIL = 254
# They separate values of `email:in` and parts of a URL, or quote a local part (RFC 5322, 3.4.1).
REFUSED_IN_EMAILS = frozenset(',:;"<>()[]\\')


def customer_id(text: str) -> str:
    """Returns the number that the global id of a customer holds; raises `BadUserInput`."""
    return entity_id_of(text, "Customer")


def checked_customer_id(number: int) -> str:
    """Returns BigCommerce's id of a customer as text; raises `BadUserInput`."""
    if customer_number(number) is None:
        raise BadUserInput("This is not the id of a customer: pass a whole number from 1.")
    return str(number)


def checked_email(text: str) -> str:
    """Returns an e-mail address that can be looked up; raises `BadUserInput`."""
    local, at, domain = text.partition("@")
    is_plain = text.isprintable() and not any(c.isspace() or c in REFUSED_IN_EMAILS for c in text)
    if not (is_plain and local and at and domain) or "@" in domain or not _is_short(text):
        raise BadUserInput(
            "This is not an e-mail address that can be looked up: pass one of up to "
            f"{LONGEST_EMAIL} bytes, such as `ana@example.com`, without commas, spaces, "
            "double quotes or colons."
        )
    return text


def _is_short(email: str) -> bool:
    return len(email) <= LONGEST_EMAIL and len(email.encode()) <= LONGEST_EMAIL


def _further_ids(email: str) -> int:
    """Returns as how many more ids than one an e-mail address counts: it makes the URL longer."""
    return (characters_in_url(email) - 1) // CHARACTERS_OF_AN_ID


async def look_up_customers(
    info: Info,
    ids: Sequence[str | GatewayError],
    beside: Callable[[], Sequence[str]] | None = None,
) -> list[Customer | None]:
    """Returns the customers with these ids, as `look_up_rows` does; `beside` as `Lookups.load`."""
    load = partial(info.context.customers.load, beside=beside)
    return await look_up_rows(info, AccessScope.PROFILES_READ, ids, load, customer)


async def look_up_customers_by_email(
    info: Info, emails: Sequence[str | GatewayError]
) -> list[Customer | None]:
    """Returns the customers with these e-mail addresses, as `look_up_rows` does.

    Each counts as an id already, and here as a further one for each further 39 characters in a URL.
    """
    further = sum(_further_ids(email) for email in emails if isinstance(email, str))
    info.context.spend_rows(further * ROWS_TO_AN_ID)
    load = info.context.customers.load_by_email
    return await look_up_rows(info, AccessScope.PROFILES_READ, emails, load, customer)
