"""`python -m benchmarks.attacks`: what requests that are made to be expensive cost a gateway.

Each is sent to a gateway process of its own over the emulator inside it, whose cache is warm.
Another client asks for `{__typename}` all the while, and one for `/health/live`. With words as
arguments, those run whose names contain one of them.
"""

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from os import sysconf
from pathlib import Path
from time import perf_counter, sleep

from graphql import get_introspection_query

from benchmarks.command import Command

JUNK = b'{"query":"{__typename}","junk":['
HEAD = """\
| request | bytes | CPU ms | ms | other's longest ms | health's | MiB | status | codes | answer |
|---|--:|--:|--:|--:|--:|--:|---|---|--:|"""
LEAST_WORK = b'{"query":"{__typename}"}'
ROW = "id entityId name description createdAt updatedAt"


@dataclass(frozen=True)
class Attack:
    """A body that is sent to `path`, `at_once` times at the same moment."""

    name: str
    body: bytes
    at_once: int = 1


def attack(
    name: str, query: str, variables: Mapping[str, object] | None = None, at_once: int = 1
) -> Attack:
    """Returns an attack by a document and its variables."""
    return Attack(
        name, json.dumps({"query": query, "variables": variables or {}}).encode(), at_once
    )


def aliases(number: int, field: str) -> str:
    """Returns a field as often under aliases."""
    return " ".join(f"a{n}:{field}" for n in range(number))


def attacks(entity_ids: Sequence[str], ids: Sequence[str]) -> Iterator[Attack]:
    """Yields the attacks; the ids are those of segments that exist."""
    totals = "segments{totalCount} "
    yield attack("380 totals in 4 fragments", "{" + f"... on Query{{{totals * 95}}} " * 4 + "}")
    of_type = "ofType{ofType{ofType{name kind}name}name}"
    field = f"types{{name fields{{name type{{name {of_type}}}args{{name}}}}}}"
    yield attack("introspection, 25 aliases", f"{{__schema{{{aliases(25, field)}}}}}")
    yield attack("introspection of tools", get_introspection_query())
    nodes = f"query($i:[ID!]!){{{aliases(100, 'nodes(ids:$i){id}')}}}"
    yield attack("100 aliases, 250 bad ids", nodes, {"i": ["bad"] * 250})
    entities = "query($r:[_Any!]!){_entities(representations:$r){...on Segment{%s}}}"
    representations = [{"__typename": "Segment", "entityId": one} for one in entity_ids]
    wide = f"{ROW} {aliases(100, 'description')}"
    yield attack("1000 entities, 106 fields", entities % wide, {"r": representations})
    twenty = f"{ROW} {aliases(14, 'name')}"
    yield attack("1000 entities, 20 fields", entities % twenty, {"r": representations})
    made_up = [{"__typename": "Segment", "id": "bad"} for _ in range(1000)]
    yield attack("1000 bad entities", entities % "id", {"r": made_up})
    yield attack("520 000 numbers", nodes, {"i": [1] * 340_000})
    yield Attack("520 000 numbers at once", yield_body(nodes, [1] * 340_000), 4)
    yield attack("10 000 numbers", nodes, {"i": [1] * 10_000})
    yield attack("2000 numbers", nodes, {"i": [1] * 2000})
    for name, used in (("cursor", "segments(after:$t){totalCount}"), ("id", "node(id:$t){id}")):
        kind = "String" if name == "cursor" else "ID!"
        document = f"query($t:{kind}){{{aliases(100, used)}}}"
        yield attack(f"{name} of 1 MB", document, {"t": "A" * 1_040_000})
        yield attack(f"{name} of 10 kB", document, {"t": "A" * 10_000})
        yield attack(f"{name} of 1 MB at once", document, {"t": "A" * 1_040_000}, 8)
    edges = f"edges{{cursor node{{{ROW}}}}}"
    for number, first in ((10, 250), (40, 60), (40, 10)):
        page = f"segments(first:{first}){{{edges}}}"
        yield attack(f"{number} pages of {first} rows", f"{{{aliases(number, page)}}}")
    yield attack("100 totals", f"{{{aliases(100, 'segments{totalCount}')}}}")
    cursors = "segments(first:50){pageInfo{startCursor endCursor}edges{cursor}}"
    yield attack("45 pages of 50 cursors", f"{{{aliases(45, cursors)}}}")
    by_id = (f'a{n}:segment(entityId:"{one}"){{id}}' for n, one in enumerate(entity_ids[:80]))
    yield attack("80 segments by id", f"{{{' '.join(by_id)}}}")
    found = f"nodes(ids:$i){{...on Segment{{{ROW}}}}}"
    lists = f"query($i:[ID!]!){{{aliases(2, found)}}}"
    yield attack("2 lists of 250 ids", lists, {"i": ids[:250]})
    for number, inner in ((12, field), (40, "types{fields{args{name}}}"), (100, "types{kind}")):
        yield attack(f"{number} copies of types", f"{{__schema{{{aliases(number, inner)}}}}}")
    described = f'__type(name:"__Type"){{fields{{description type{{{of_type}}}}}}}'
    yield attack("25 types by name", f"{{{aliases(25, described)}}}")
    yield attack("990 unknown fields", "{" + " ".join(f"x{n}" for n in range(990)) + "}")
    yield attack("900 names of one field", "{segments{" + "totalCount " * 900 + "}}")
    other = " ".join(f"... on Query{{segments(first:{n}){{totalCount}}}}" for n in range(90))
    yield attack("90 conflicts", f"{{{other}}}")
    spreads = (f"fragment f{n} on Query{{...f{n + 1} segments{{totalCount}}}}" for n in range(90))
    end = "fragment f90 on Query{__typename}"
    yield attack("chain of 90 fragments", f"{{...f0}} {''.join(spreads)} {end}")
    inner = "...on SegmentConnection{totalCount nodes{id}} " * 90
    yield attack("90 inline fragments", f"{{segments{{{inner}}}}}")
    names = " ".join(f"...on SegmentConnection{{n{n}:nodes{{id}}}}" for n in range(90))
    yield attack("90 lists in fragments", f"{{segments{{{names}}}}}")
    lines = "{__typename " + "#\n" * 49_000 + "}"
    yield attack("100 000 characters", lines)
    yield Attack("nested JSON", b'{"a":' * 170_000)
    yield Attack("lists in lists", JUNK + b"[[]]," * 200_000 + b"0]}")
    yield Attack("objects", JUNK + b'{"":0},' * 140_000 + b"0]}")
    repeated = JUNK.replace(b"{", b'{"query":"{__typename}",', 1)
    yield Attack("49 000 separators", repeated + b"[[]]," * 16_000 + b"0]}")
    yield Attack("escapes", b'{"query":"{__typename}","junk":"' + b"\\u0041" * 170_000 + b'"}')
    yield Attack("200 long documents at once", b"", 200)
    longest = f"{{{aliases(10, f'segments(first:250){{{edges}}}')}}}"
    yield attack("200 long answers at once", longest, at_once=200)


def yield_body(query: str, ids: Sequence[object]) -> bytes:
    """Returns the body of a lookup by ids."""
    return json.dumps({"query": query, "variables": {"i": ids}}).encode()


class Gateway(Command):
    """A gateway over the emulator inside its process."""

    def __init__(self) -> None:
        super().__init__(
            *(sys.executable, "-m", "gateway", "serve", "--port", "0"),
            environment={"GATEWAY_DRAIN_SECONDS": "0", "GATEWAY_EMULATOR_SEGMENTS": "1000"},
        )
        self.start()
        line = self.errors.wait_for("listening on").split("listening on ")[1]
        self.port = int(line.split(";")[0].rpartition(":")[2])

    def cpu_seconds(self) -> float:
        """Returns what the process has computed so far."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text("ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / sysconf("SC_CLK_TCK")

    def memory(self, name: str) -> float:
        """Returns `VmRSS` or `VmHWM` (the peak) in MiB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        raise LookupError(name)

    def forget_peak(self) -> None:
        """Sets the peak to the memory of now (proc_pid_clear_refs(5))."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", "ascii")


def post(connection: HTTPConnection, body: bytes) -> tuple[int, bytes]:
    """Sends a request and returns status and body of the answer."""
    connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


@contextmanager
def another_client(port: int, path: str = "/graphql") -> Iterator[list[float]]:
    """Asks for the least work every two milliseconds; yields the seconds of each answer."""
    waits: list[float] = []
    is_over = threading.Event()

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        while not is_over.is_set():
            began_at = perf_counter()
            if path == "/graphql":
                post(connection, LEAST_WORK)
            else:
                connection.request("GET", path)
                connection.getresponse().read()
            waits.append(perf_counter() - began_at)
            sleep(0.002)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        sleep(0.1)
        yield waits
    finally:
        is_over.set()
        thread.join()


def bodies(one: Attack) -> list[bytes]:
    """Returns the bodies to send; documents of 200 at once differ, and none is known."""
    if one.body:
        return [one.body] * one.at_once
    fields = [f"a{n}:segments(first:{n}){{totalCount}}" for n in range(90)]
    documents = (f"{{{' '.join(fields[n % 7 :])}}}#{n}" for n in range(one.at_once))
    return [json.dumps({"query": document}).encode() for document in documents]


def run(one: Attack) -> str:
    """Runs an attack; returns the row of the table."""
    gateway = Gateway()
    try:
        connection = HTTPConnection("127.0.0.1", gateway.port, timeout=120)
        for _ in range(3):
            page = json.dumps({"query": f"{{segments(first:250){{nodes{{{ROW}}}}}}}"}).encode()
            post(connection, page)
        answers: list[tuple[int, bytes]] = []

        def send(body: bytes) -> None:
            answers.append(post(HTTPConnection("127.0.0.1", gateway.port, timeout=120), body))

        threads = [threading.Thread(target=send, args=[body]) for body in bodies(one)]
        with (
            another_client(gateway.port) as waits,
            another_client(gateway.port, "/health/live") as live,
        ):
            sleep(0.1)
            gateway.forget_peak()
            memory, seconds = gateway.memory("VmRSS"), gateway.cpu_seconds()
            began_at = perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = perf_counter() - began_at
            # The other client itself takes some of the time.
            cpu = gateway.cpu_seconds() - seconds
        growth = gateway.memory("VmHWM") - memory
        _, text = answers[0]
        try:
            errors = json.loads(text).get("errors", [])
        except ValueError:
            errors = []
        codes = sorted({e["extensions"]["code"] for e in errors})
        statuses = sorted({str(s) for s, _ in answers})
        return (
            f"| {one.name} | {len(bodies(one)[0])} | {cpu * 1000:.0f} | {took * 1000:.0f} | "
            f"{max(waits) * 1000:.0f} | {max(live) * 1000:.0f} | {growth:.0f} | "
            f"{'/'.join(statuses)} | {' '.join(codes) or '-'} ({len(errors)}) | {len(text)} |"
        )
    finally:
        gateway.kill()


def ids_of_segments() -> tuple[list[str], list[str]]:
    """Returns the ids of the emulator's segments: BigCommerce's, and global ones."""
    gateway = Gateway()
    try:
        connection = HTTPConnection("127.0.0.1", gateway.port)
        found: list[dict[str, str]] = []
        after = ""
        for _ in range(4):
            query = f"{{segments(first:250{after}){{nodes{{entityId id}}pageInfo{{endCursor}}}}}}"
            _, text = post(connection, json.dumps({"query": query}).encode())
            page = json.loads(text)["data"]["segments"]
            found += page["nodes"]
            after = f' after:"{page["pageInfo"]["endCursor"]}"'
        return [one["entityId"] for one in found], [one["id"] for one in found]
    finally:
        gateway.kill()


def main(words: Sequence[str]) -> int:
    """Runs the attacks whose names hold one of the words, or all."""
    print(HEAD)
    for one in attacks(*ids_of_segments()):
        if not words or any(word in one.name for word in words):
            print(run(one), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
