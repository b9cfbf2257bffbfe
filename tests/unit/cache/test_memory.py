from gateway.cache.memory import DECODED_WEIGHT, ENTRY_OVERHEAD_BYTES, Memory
from gateway.cache.policy import Entry

ENTRY_BYTES = 100 * DECODED_WEIGHT + ENTRY_OVERHEAD_BYTES


async def values_of(memory: Memory, keys: str) -> list[object]:
    return [None if entry is None else entry.value for entry in memory.get_many([*keys])]


async def test_least_recently_used_entry_makes_room() -> None:
    memory = Memory(3 * ENTRY_BYTES)
    for key in "abc":
        await memory.set(key, Entry(1.0, key), 100)
    memory.get_many(["a"])
    await memory.set("d", Entry(1.0, "d"), 100)
    assert await values_of(memory, "abcd") == ["a", None, "c", "d"]


async def test_large_entry_takes_the_room_of_several() -> None:
    memory = Memory(3 * ENTRY_BYTES)
    for key in "abc":
        await memory.set(key, Entry(1.0, key), 100)
    await memory.set("d", Entry(1.0, "d"), 150)
    assert await values_of(memory, "abcd") == [None, None, "c", "d"]


async def test_entry_larger_than_the_memory_is_not_stored_and_drops_no_other() -> None:
    memory = Memory(ENTRY_BYTES)
    await memory.set("a", Entry(1.0, "a"), 100)
    await memory.set("b", Entry(1.0, "b"), 101)
    assert await values_of(memory, "ab") == ["a", None]


async def test_newest_entry_of_a_key_stays() -> None:
    memory = Memory(10 * ENTRY_BYTES)
    for read_at, value in ((2.0, "first"), (1.0, "older"), (2.0, "same time"), (1.5, "older")):
        await memory.set("a", Entry(read_at, value), 100)
    assert await values_of(memory, "a") == ["same time"]


async def test_absence_is_no_miss() -> None:
    memory = Memory(10 * ENTRY_BYTES)
    await memory.set("a", Entry(1.0, None), 0)
    assert memory.get_many(["a", "b"]) == [Entry(1.0, None), None]


async def test_version_grows_with_each_entry_that_is_stored() -> None:
    memory = Memory(ENTRY_BYTES)
    versions = []
    for key, read_at, size in (("a", 2.0, 100), ("a", 1.0, 100), ("b", 1.0, 101), ("b", 1.0, 100)):
        await memory.set(key, Entry(read_at, key), size)
        versions.append(memory.version)
    assert versions == [1, 1, 1, 2]
