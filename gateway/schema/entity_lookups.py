"""Objects of all types with global ids: what `node`, `nodes` and `_entities` look up."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from gateway.errors import BadUserInput, GatewayError
from gateway.schema.context import Info
from gateway.schema.customer import Customer
from gateway.schema.customer_lookups import look_up_customers
from gateway.schema.node import ENTITY_IDS, entity_of
from gateway.schema.segment import Segment
from gateway.schema.segment_lookups import look_up_segments

Entity = Segment | Customer


class EntityKey(NamedTuple):
    """The name of an object's type, and BigCommerce's id of the object."""

    type_name: str
    entity_id: str


def entity_key(text: str) -> EntityKey:
    """Returns what a global id names; raises `BadUserInput`."""
    type_name, entity_id = entity_of(text)
    if type_name not in ENTITY_IDS:
        types = " or a ".join(ENTITY_IDS)
        raise BadUserInput(f"This id is not one of a {types}. Pass the `id` of such an object.")
    return EntityKey(type_name, entity_id)


async def look_up_entities(
    info: Info, keys: Sequence[EntityKey | GatewayError]
) -> list[Entity | None]:
    """Returns the objects in the order of the keys, as `look_up_rows` does.

    The objects of each type are looked up together, and those of both types at the same time.
    """
    info.context.spend_errors([key for key in keys if isinstance(key, GatewayError)])
    ids: Mapping[str, list[str]] = {name: [] for name in ENTITY_IDS}
    for key in keys:
        if isinstance(key, EntityKey):
            ids[key.type_name].append(key.entity_id)
    if all(ids.values()):
        segments, customers = await asyncio.gather(
            look_up_segments(info, ids["Segment"]), look_up_customers(info, ids["Customer"])
        )
    else:
        segments = await look_up_segments(info, ids["Segment"])
        customers = await look_up_customers(info, ids["Customer"])
    rows: Mapping[str, Iterator[Entity | None]] = {
        "Segment": iter(segments),
        "Customer": iter(customers),
    }
    return [
        next(rows[key.type_name]) if isinstance(key, EntityKey) else cast("Entity", key)
        for key in keys
    ]
