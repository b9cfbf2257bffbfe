"""Connections of shopper profiles, whose customers are read 100 at a time."""

from functools import partial

from gateway.bigcommerce import models
from gateway.data_source import LOOKUP_IDS
from gateway.pagination import BlockSource, Slice
from gateway.schema.connection import Connection, resolve_connection
from gateway.schema.context import Context, Info
from gateway.schema.shopper_profile import ShopperProfile, shopper_profile


async def resolve_profiles(
    info: Info,
    source: BlockSource[models.ShopperProfile],
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> Connection[ShopperProfile]:
    """Reads what the selected fields need; raises as `resolve_connection`.

    A lookup of the page's customers has room for more of them: those of the next rows. So a walk
    costs as many lookups with small pages as with large ones. All pages of a request have the room
    of one lookup.
    """
    connection = await resolve_connection(
        info, source, shopper_profile, first=first, after=after, last=last, before=before
    )
    if isinstance(page := connection.rows, Slice):
        info.context.profiles_asked += len(page.rows)
        beside = partial(_customers_beside, info.context, page, are_before=last is not None)
        connection.show = partial(shopper_profile, customers_beside=beside)
    return connection


def _customers_beside(
    context: Context, page: Slice[models.ShopperProfile], *, are_before: bool
) -> list[str]:
    """Returns the ids of the customers of the next rows, as many as the lookup has room for."""
    room = max(0, LOOKUP_IDS - context.profiles_asked)
    rows = page.rows_beside(room, are_before=are_before)
    context.profiles_asked += len(rows)
    return [str(row.customer_id) for row in rows if row.customer_id is not None]
