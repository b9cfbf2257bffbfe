"""Connections of shopper profiles, whose customers are read 100 at a time."""

from functools import partial

from gateway.bigcommerce import models
from gateway.data_source import LOOKUP_IDS
from gateway.pagination import BlockSource, Slice
from gateway.schema.connection import Connection, resolve_connection
from gateway.schema.context import Info
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
    costs as many lookups with small pages as with large ones.
    """
    connection = await resolve_connection(
        info, source, shopper_profile, first=first, after=after, last=last, before=before
    )
    if isinstance(page := connection.rows, Slice):
        room = LOOKUP_IDS - len(page.rows)
        beside = page.rows_beside(max(0, room), are_before=last is not None)
        ids = [str(row.customer_id) for row in beside if row.customer_id is not None]
        connection.show = partial(shopper_profile, customers_beside=ids)
    return connection
