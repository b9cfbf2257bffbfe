"""Documents in bounded memory, which clients share fairly."""

import sys

from gateway.schema.document_memory import ENTRY_BYTES, DocumentMemory, StoredDocument

TEXT = "{ here }"
SIZE = sys.getsizeof(TEXT) + ENTRY_BYTES


def a_memory(documents: int) -> DocumentMemory:
    return DocumentMemory(documents * SIZE)


def bring(memory: DocumentMemory, client: str, *names: str) -> None:
    for name in names:
        memory.add(name, StoredDocument(TEXT, 0.0), client)


def kept(memory: DocumentMemory, *names: str) -> list[str]:
    """Those of the documents that are there; all of them become the last used."""
    return [name for name in names if memory.get(name) is not None]


def test_client_that_is_alone_has_all_of_the_memory() -> None:
    memory = a_memory(3)
    bring(memory, "a", "1", "2", "3")
    assert (memory.bytes, len(memory)) == (3 * SIZE, 3)
    assert kept(memory, "1", "2", "3") == ["1", "2", "3"]


def test_document_that_was_not_used_for_longest_makes_room() -> None:
    memory = a_memory(3)
    bring(memory, "a", "1", "2", "3")
    assert kept(memory, "1") == ["1"]
    bring(memory, "a", "4")
    assert kept(memory, "1", "2", "3", "4") == ["1", "3", "4"]
    assert (memory.bytes, len(memory)) == (3 * SIZE, 3)


def test_client_that_brings_documents_without_end_empties_its_own_share() -> None:
    memory = a_memory(10)
    bring(memory, "shop", *(f"shop {n}" for n in range(5)))
    bring(memory, "flood", *(f"flood {n}" for n in range(100)))
    assert kept(memory, *(f"shop {n}" for n in range(5))) == [f"shop {n}" for n in range(5)]
    assert kept(memory, *(f"flood {n}" for n in range(100))) == [
        f"flood {n}" for n in range(95, 100)
    ]


def test_client_that_had_all_makes_room_for_others_up_to_equal_shares() -> None:
    memory = a_memory(4)
    bring(memory, "a", "1", "2", "3", "4")
    bring(memory, "b", "5", "6", "7")
    assert kept(memory, "1", "2", "3", "4", "5", "6", "7") == ["3", "4", "6", "7"]


def test_share_that_is_empty_is_forgotten() -> None:
    memory = a_memory(1)
    for client in ("a", "b", "c"):
        memory.add(client, StoredDocument(TEXT + client, 0.0), client)
        memory.add(f"{client}2", StoredDocument(TEXT, 0.0), client)
    assert len(memory._shares) == len(memory) == 1


def test_document_larger_than_the_memory_is_not_kept() -> None:
    memory = a_memory(1)
    memory.add("1", StoredDocument("x" * 10_000, 0.0), "a")
    assert (memory.bytes, len(memory)) == (0, 0)
