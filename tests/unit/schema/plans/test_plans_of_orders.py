"""A page in the store's order has a plan; one that is sorted, filtered or reversed is executed."""

from ways import Warm

PAGE = "{{ segments(first: 2{}) {{ totalCount nodes {{ id }} }} }}"
ANY = (
    "query ($filter: SegmentFilter, $sortKey: SegmentSortKey{}, $reverse: Boolean{}) "
    "{{ segments(filter: $filter, sortKey: $sortKey, reverse: $reverse) {{ nodes {{ id }} }} }}"
)


async def test_store_order_has_a_plan_however_it_is_asked_for() -> None:
    with_defaults = ANY.format(" = STORE_ORDER", " = false")
    ways = await Warm().ways(
        {
            "left out": (PAGE.format(""), {}),
            "defaults": (PAGE.format(", sortKey: STORE_ORDER, reverse: false"), {}),
            "null": (PAGE.format(", filter: null, sortKey: null, reverse: null"), {}),
            "variables left out": (ANY.format("", ""), {}),
            "variables with defaults": (with_defaults, {}),
            "variables that are the defaults": (
                ANY.format("", ""),
                {"filter": None, "sortKey": "STORE_ORDER", "reverse": False},
            ),
            "variables that are null": (
                with_defaults,
                {"filter": None, "sortKey": None, "reverse": None},
            ),
        }
    )
    assert set(ways.values()) == {"planned"}, ways


async def test_other_orders_and_filters_are_executed() -> None:
    ways = await Warm().ways(
        {
            "filter": (PAGE.format(', filter: {nameContains: "vip"}'), {}),
            "empty filter": (PAGE.format(", filter: {}"), {}),
            "sortKey": (PAGE.format(", sortKey: NAME"), {}),
            "reverse": (PAGE.format(", reverse: true"), {}),
            "variable filter": (ANY.format("", ""), {"filter": {"nameContains": "vip"}}),
            "variable sortKey": (ANY.format("", ""), {"sortKey": "CREATED_AT"}),
            "variable reverse": (ANY.format("", ""), {"reverse": True}),
            "default sortKey": (ANY.format(" = NAME", ""), {}),
            "default reverse": (ANY.format("", " = true"), {}),
            "unknown sortKey": (ANY.format("", ""), {"sortKey": "PRICE"}),
            "sortKey of another type": (ANY.format("", ""), {"sortKey": ["NAME"]}),
            "filter of another type": (ANY.format("", ""), {"filter": "vip"}),
        }
    )
    assert set(ways.values()) == {"executed"}, ways


async def test_one_document_is_planned_or_executed_by_its_variables() -> None:
    warm, document = Warm(), ANY.format("", "")
    assert await warm.way(document) == "planned"
    assert await warm.way(document, {"reverse": True}) == "executed"
    assert await warm.way(document, {"reverse": False}) == "planned"
