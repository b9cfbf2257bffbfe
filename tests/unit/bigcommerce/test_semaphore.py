"""The semaphore under any schedule of tasks."""

import asyncio

from clock import settle
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from gateway.bigcommerce.semaphore import FairSemaphore


class Users:
    """Takes slots for clients; `served` has the names in the order in which they got one."""

    def __init__(self, slots: int) -> None:
        self.slots = FairSemaphore(slots, slots)
        self.taken = self.most = 0
        self.served: list[str] = []
        self.users: list[tuple[asyncio.Task[None], asyncio.Event]] = []

    def come(self, client: str, name: str) -> None:
        leave = asyncio.Event()
        self.users.append((asyncio.ensure_future(self._use(client, name, leave)), leave))

    async def _use(self, client: str, name: str, leave: asyncio.Event) -> None:
        await self.slots.acquire(client, None)
        self.taken += 1
        self.most = max(self.most, self.taken)
        self.served.append(name)
        try:
            await leave.wait()
        finally:
            self.taken -= 1
            self.slots.release(client)

    async def go(self) -> None:
        """Lets all leave, in the order in which they came."""
        for _ in range(len(self.users)):
            await settle()
            for _, leave in self.users:
                leave.set()
        await asyncio.gather(*(task for task, _ in self.users), return_exceptions=True)


async def served_in_turn(*arrivals: tuple[str, str]) -> list[str]:
    """Returns the order in which these are served, who come while the only slot is taken."""
    users = Users(1)
    users.come("first", "first")
    await settle()
    for client, name in arrivals:
        users.come(client, name)
    await users.go()
    return users.served[1:]


async def test_one_client_is_served_in_the_order_of_coming() -> None:
    assert await served_in_turn(*(("a", f"a{n}") for n in range(4))) == ["a0", "a1", "a2", "a3"]


async def test_clients_take_turns() -> None:
    arrivals = [("a", "a0"), ("a", "a1"), ("a", "a2"), ("b", "b0"), ("c", "c0"), ("b", "b1")]
    assert await served_in_turn(*arrivals) == ["a0", "b0", "c0", "a1", "b1", "a2"]


async def test_client_with_many_requests_does_not_delay_another_by_more_than_one() -> None:
    arrivals = [("greedy", f"g{n}") for n in range(50)]
    assert (await served_in_turn(*arrivals, ("modest", "m0"))).index("m0") == 1


async def test_request_that_is_cancelled_in_its_turn_passes_the_slot_on() -> None:
    users = Users(1)
    for client in "abc":
        users.come(client, client)
    await settle()
    users.users[0][1].set()
    await asyncio.sleep(0)  # now the slot is given back, and b would go on in the next turn
    assert users.taken == 0
    users.users[1][0].cancel()
    await settle()
    assert users.served[-1] == "c"
    await users.go()
    assert users.slots.free == 1


moves = st.lists(
    st.tuples(st.just("come"), st.integers(0, 2))
    | st.tuples(st.sampled_from(["leave", "cancel"]), st.integers(0, 8))
    | st.tuples(st.just("turns of the loop"), st.sampled_from([1, 1, 1, 5])),
    min_size=5,
    max_size=40,
)


@given(st.integers(1, 3), moves)
@settings(max_examples=examples(300))
def test_no_slot_is_lost_or_given_twice_under_any_schedule(
    slots: int, moves: list[tuple[str, int]]
) -> None:
    async def play() -> None:
        users = Users(slots)
        for move, number in moves:
            if move == "come":
                users.come(str(number), str(number))
            elif move == "turns of the loop":
                for _ in range(number):
                    await asyncio.sleep(0)
            elif left := [user for user in users.users if not user[0].done()]:
                task, leave = left[number % len(left)]
                leave.set() if move == "leave" else task.cancel()
        await settle()
        unfinished = sum(not task.done() for task, _ in users.users)
        assert users.taken == min(slots, unfinished)  # none waits while a slot is free
        await users.go()
        assert users.most <= slots
        assert users.slots.free == slots

    asyncio.run(play())
