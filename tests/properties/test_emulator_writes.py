"""Writes of the emulator against plain lists: any batches, in both dialects, between any reads."""

import asyncio
from typing import Any

import httpx
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from examples import examples
from gateway.emulator import create_emulator, seeded_store

URL = "http://emulator.localhost/stores/emulator/v3/"
TOKEN = {"X-Auth-Token": "emulator-token"}
CUSTOMERS = 21  # of 20 profiles
UNKNOWN = "00000000-0000-4000-8000-000000000000"
NAMES = st.sampled_from(["A", "B", "C", "D", "", "VIP customers"])
PLACES = st.lists(st.integers(0, 30), min_size=1, max_size=5)


class WrittenStore(RuleBasedStateMachine):
    """The model: names of segments by id, profiles by customer, and members by segment.

    A place is one in the list of all ids there have ever been, so that some are unknown.
    """

    @initialize(is_old=st.booleans())
    def open(self, is_old: bool) -> None:
        store = seeded_store(3, 20)
        self.is_old = is_old
        self.names = {row.id: row.name for row in store.segments}
        self.profiles = {row.customer_id: row.id for row in store.profiles}
        self.members = {
            row.id: [profile.id for profile in store.members.of_segment(row.id)]
            for row in store.segments
        }
        self.segment_ids = [*self.names, UNKNOWN]
        self.profile_ids = [*self.profiles.values(), UNKNOWN]
        app = create_emulator(
            store, dialect="2025" if is_old else "2026", rate_limit_quota=1_000_000
        )
        self.runner = asyncio.Runner()
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), headers=TOKEN, base_url=URL
        )

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.run(self.client.aclose())
            self.runner.close()

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.runner.run(self.client.request(method, path, json=body))

    def segments_at(self, places: list[int]) -> list[str]:
        return [self.segment_ids[place % len(self.segment_ids)] for place in places]

    def profiles_at(self, places: list[int]) -> list[str]:
        return [self.profile_ids[place % len(self.profile_ids)] for place in places]

    def check_batch(self, answer: httpx.Response, valid: int, total: int) -> list[Any]:
        """Checks status and counts of a batch; returns the rows that were carried out."""
        body = answer.json()
        if valid < total and self.is_old:
            assert (answer.status_code, len(body["errors"])) == (400, total - valid)
            return []
        assert answer.status_code == (201 if valid == total else 422)
        assert len(body["data"]) == valid
        if not self.is_old:
            failed = total - valid
            assert body["meta"] == {"total": total, "success": valid, "failed": failed}
            assert sum(len(error["errors"]) for error in body["errors"]) == failed
        rows: list[Any] = body["data"]
        return rows

    def check_deletion(self, answer: httpx.Response, found: int, total: int) -> None:
        if self.is_old:
            assert (answer.status_code, answer.content) == (204, b"")
            return
        assert answer.status_code == (200 if found == total else 422)
        meta = {"total": total, "success": found, "failed": total - found}
        assert answer.json()["meta"] == meta

    @rule(names=st.lists(NAMES, min_size=1, max_size=3))
    def create_segments(self, names: list[str]) -> None:
        answer = self.send("POST", "segments", [{"name": name} for name in names])
        valid = [name for name in names if name]
        is_refused_first = self.is_old and len(valid) < len(names)
        after = [*self.names.values(), *valid]
        if not is_refused_first and len(after) != len(set(after)):
            assert answer.status_code == 409
            return
        rows = self.check_batch(answer, len(valid), len(names))
        assert [row["name"] for row in rows] == ([] if is_refused_first else valid)
        for row in rows:
            self.names[row["id"]], self.members[row["id"]] = row["name"], []
            self.segment_ids.append(row["id"])

    @rule(changes=st.dictionaries(st.integers(0, 6), NAMES, min_size=1, max_size=3))
    def update_segments(self, changes: dict[int, str]) -> None:
        pairs = [(self.segments_at([place])[0], name) for place, name in changes.items()]
        body = [{"id": row_id, "name": name} for row_id, name in pairs]
        answer = self.send("PUT", "segments", body)
        valid: dict[str, str] = {}
        for row_id, name in pairs:
            if name and row_id in self.names and row_id not in valid:
                valid[row_id] = name
        is_refused_first = self.is_old and len(valid) < len(pairs)
        after = {**self.names, **valid}
        if not is_refused_first and len({*after.values()}) < len(after):
            assert answer.status_code == 409
            return
        rows = self.check_batch(answer, len(valid), len(pairs))
        self.names.update({row["id"]: row["name"] for row in rows})
        assert is_refused_first or self.names == after

    @rule(places=PLACES)
    def delete_segments(self, places: list[int]) -> None:
        ids = dict.fromkeys(self.segments_at(places))
        found = [row_id for row_id in ids if row_id in self.names]
        answer = self.send("DELETE", f"segments?id:in={','.join(ids)}")
        self.check_deletion(answer, len(found), len(ids))
        for row_id in found:
            del self.names[row_id], self.members[row_id]

    @rule(customers=st.lists(st.integers(1, CUSTOMERS + 1), min_size=1, max_size=4))
    def create_profiles(self, customers: list[int]) -> None:
        body = [{"customer_id": customer} for customer in customers]
        answer = self.send("POST", "shopper-profiles", body)
        valid = [n for n in dict.fromkeys(customers) if n <= CUSTOMERS and n not in self.profiles]
        for row in self.check_batch(answer, len(valid), len(customers)):
            self.profiles[row["customer_id"]] = row["id"]
            self.profile_ids.append(row["id"])

    @rule(places=PLACES)
    def delete_profiles(self, places: list[int]) -> None:
        ids = dict.fromkeys(self.profiles_at(places))
        found = [row_id for row_id in ids if row_id in self.profiles.values()]
        answer = self.send("DELETE", f"shopper-profiles?id:in={','.join(ids)}")
        self.check_deletion(answer, len(found), len(ids))
        self.profiles = {n: row_id for n, row_id in self.profiles.items() if row_id not in found}
        for members in self.members.values():
            members[:] = [row_id for row_id in members if row_id not in found]

    @rule(place=st.integers(0, 6), places=PLACES)
    def add_members(self, place: int, places: list[int]) -> None:
        (segment,), ids = self.segments_at([place]), self.profiles_at(places)
        answer = self.send("POST", f"segments/{segment}/shopper-profiles", ids)
        if segment not in self.names:
            assert answer.status_code == 404
            return
        valid = [row_id for row_id in dict.fromkeys(ids) if row_id in self.profiles.values()]
        is_refused_first = self.is_old and len(valid) < len(ids)
        conflicts = [row_id for row_id in valid if row_id in self.members[segment]]
        if conflicts and not is_refused_first:
            (error,) = answer.json()["errors"]
            assert (answer.status_code, len(error["errors"])) == (409, len(conflicts))
            return
        rows = self.check_batch(answer, len(valid), len(ids))
        self.members[segment] += [row["id"] for row in rows]

    @rule(place=st.integers(0, 6), places=PLACES)
    def remove_members(self, place: int, places: list[int]) -> None:
        (segment,), ids = self.segments_at([place]), dict.fromkeys(self.profiles_at(places))
        path = f"segments/{segment}/shopper-profiles?id:in={','.join(ids)}"
        answer = self.send("DELETE", path)
        if segment not in self.names:
            assert answer.status_code == 404
            return
        found = [row_id for row_id in ids if row_id in self.members[segment]]
        self.check_deletion(answer, len(found), len(ids))
        self.members[segment] = [row for row in self.members[segment] if row not in found]

    @rule(place=st.integers(0, 30))
    def read_segments_of_a_profile(self, place: int) -> None:
        (row_id,) = self.profiles_at([place])
        answer = self.send("GET", f"shopper-profiles/{row_id}/segments")
        if row_id not in self.profiles.values():
            assert answer.status_code == 404
            return
        expected = [segment for segment in self.names if row_id in self.members[segment]]
        assert [row["id"] for row in answer.json()["data"]] == expected

    @invariant()
    def reads_show_the_model(self) -> None:
        if not hasattr(self, "client"):
            return
        rows = self.send("GET", "segments").json()["data"]
        assert {row["id"]: row["name"] for row in rows} == self.names
        rows = self.send("GET", "shopper-profiles").json()["data"]
        assert {row["customer_id"]: row["id"] for row in rows} == self.profiles
        for segment, members in self.members.items():
            rows = self.send("GET", f"segments/{segment}/shopper-profiles").json()["data"]
            assert [row["id"] for row in rows] == members
        rows = self.send("GET", "customers?include=shopper_profile_id,segment_ids").json()["data"]
        for row in rows:
            profile = self.profiles.get(row["id"])
            expected = {segment for segment in self.names if profile in self.members[segment]}
            assert (row["shopper_profile_id"], {*row["segment_ids"]}) == (profile, expected)


WrittenStore.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=20)
TestWrittenStore = WrittenStore.TestCase
