"""Clients with queries and mutations of all kinds, and some that are wrong."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from random import Random

import httpx

from gateway.emulator import seeded_store

SEGMENTS = 1000
CUSTOMERS = 400
CLIENTS = 4
PAUSE_SECONDS = 0.03
IDS = [row.id for row in seeded_store(SEGMENTS).segments]

NAVIGATION = "query Navigation { segments(first: 10) { nodes { id name } } }"
TRUSTED_DOCUMENTS = {"navigation": NAVIGATION}

FIRST_PAGE = "{ segments(first: 20) { totalCount nodes { id name } } }"
BY_ID = "query ($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { name } }"
CUSTOMERS_BY_ID = """query ($ids: [Int!]!) {
  customersByEntityId(entityIds: $ids) { email segments(first: 5) { nodes { name } } }
}"""
CUSTOMERS_BY_EMAIL = "query ($of: [String!]!) { customersByEmail(emails: $of) { entityId } }"
PROFILES = "{ shopperProfiles(first: 3) { nodes { entityId customer { email } } } }"
MEMBERS = "{ segments(first: 3) { nodes { shopperProfiles(first: 2) { nodes { entityId } } } } }"
UPDATE = """mutation ($id: ID!, $text: String) {
  updateSegments(input: {segments: [{entityId: $id, description: $text}]}) { segments { id } }
}"""
TOO_MANY = "{ segments(first: 1000) { totalCount } }"
NO_DOCUMENT = "{ segments("

Body = dict[str, object]


def requests(random: Random) -> Iterator[Body]:
    """Yields the bodies of requests, without an end."""
    for turn in count():
        yield {"query": FIRST_PAGE}
        yield {"query": NAVIGATION}
        yield {"query": BY_ID, "variables": {"ids": random.sample(IDS, 3)}}
        customers = random.sample(range(1, CUSTOMERS), 5)
        yield {"query": CUSTOMERS_BY_ID, "variables": {"ids": customers}}
        yield {"query": PROFILES}
        yield {"query": MEMBERS}
        if turn % 4 == 0:
            text = f"written {turn}"
            yield {"query": UPDATE, "variables": {"id": random.choice(IDS), "text": text}}
        if turn % 10 == 0:
            yield {"query": TOO_MANY}
            yield {"query": NO_DOCUMENT}


@contextmanager
def mixed_load(gateway: str) -> Iterator[None]:
    """Sends requests in the background, about 80 a second while they are answered at once."""
    ends = threading.Event()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(_ask, gateway, ends, Random(seed)) for seed in range(CLIENTS)]
        try:
            yield
        finally:
            ends.set()
    for client in clients:
        client.result()


def _ask(gateway: str, ends: threading.Event, random: Random) -> None:
    with httpx.Client(base_url=gateway, timeout=30, trust_env=False) as http:
        for body in requests(random):
            if ends.wait(PAUSE_SECONDS):
                return
            try:
                http.post("/graphql", content=json.dumps(body), headers=HEADERS)
            except httpx.TransportError:
                continue  # the gateway is down, as an alert wants it


HEADERS = {"Content-Type": "application/json"}
