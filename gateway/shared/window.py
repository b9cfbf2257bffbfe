"""One view of a store's quota for all processes: whether one more request may be sent."""

from dataclasses import dataclass

from gateway.shared.connection import RedisConnection

# BigCommerce's guide to rate limits: a fixed window of 30 s.
WINDOW_SECONDS = 30.0
# Longer than any pause that an answer can demand, which is a day.
KEPT_MILLISECONDS = 90_000_000

# KEYS: a hash, and a sorted set of requests in flight, scored with when they are given up.
# ARGV: the token of a request, now, the length of a window.
#
# In the hash: `told`, the fewest requests left that an answer of this window told, less what may
# have been counted since; `quota`; when the window ends, between `earliest` and `latest`, since
# nobody knows when between sending and receiving the upstream wrote its answer; `pause`.
BEGINNING = """
local window, in_flight = KEYS[1], KEYS[2]
local token, now, length = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local function get(field) return tonumber(redis.call('HGET', window, field)) end
local function set(...) redis.call('HSET', window, ...) end

local told = get('told')
-- What was sent by a process that died may have been counted.
local given_up = redis.call('ZREMRANGEBYSCORE', in_flight, '-inf', now)
if told and given_up > 0 then
  told = told - given_up
  set('told', told)
end
-- Until an answer tells of the next window: its whole quota is left, and it follows the last one
-- or begins now. What is still in flight may be counted in it. One at least, to be told of it.
if told and now >= get('latest') then
  told = math.max(get('quota'), 1)
  set('told', told, 'earliest', get('earliest') + length, 'latest', now + length)
end
"""
END = f"""
redis.call('PEXPIRE', window, {KEPT_MILLISECONDS})
redis.call('PEXPIRE', in_flight, {KEPT_MILLISECONDS})
"""
# ARGV after those: when the request is given up, how many requests have to be left after it.
# Returns whether it may be sent, else the seconds to wait, and whether an answer to come may leave
# something of this window.
TAKE = f"""{BEGINNING}
local pause = get('pause')
local granted, wait = 0, 0
local may_be_left = told and told > 0 and 1 or 0
if pause and now < pause then
  wait, may_be_left = pause - now, 0
elseif not told or told - redis.call('ZCARD', in_flight) > tonumber(ARGV[5]) then
  granted = 1
  redis.call('ZADD', in_flight, ARGV[4], token)
else
  wait = get('latest') - now
end
{END}
return {{granted, string.format('%.17g', wait), may_be_left}}
"""
# ARGV after those, `now` being when the answer was received: when the request was sent; then, or
# nothing where the answer does not say, requests left, the quota, seconds until it resets.
TELL = f"""{BEGINNING}
redis.call('ZREM', in_flight, token)
if ARGV[5] then
  local left, quota, resets_in = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  local earliest, latest = tonumber(ARGV[4]) + resets_in, now + resets_in
  local known = get('earliest')
  if not told or earliest > known + length / 2 then
    set('told', left, 'quota', quota, 'earliest', earliest, 'latest', latest)
  elseif earliest >= known - length / 2 then
    set('told', math.min(told, left), 'quota', quota)
    set('earliest', math.max(known, earliest), 'latest', math.min(get('latest'), latest))
  end  -- else it is of a window that has ended
elseif told then
  set('told', told - 1)  -- it may have been counted
end
{END}
"""
# KEYS: the hash. ARGV: until when.
PAUSE = f"""
local pause = tonumber(redis.call('HGET', KEYS[1], 'pause'))
if not pause or pause < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'pause', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], {KEPT_MILLISECONDS})
"""


@dataclass(frozen=True, slots=True)
class Take:
    """Whether a request may be sent, and where not, for how many seconds to wait first.

    Where `is_sure`, no answer that is still to come makes it less.
    """

    granted: bool
    wait_seconds: float
    is_sure: bool = False


class SharedWindow:
    """The quota of one store, in Redis; times are seconds since the epoch, given by the callers.

    A request that was granted and of which nothing is told is given up after
    `given_up_after_seconds`, which has to be longer than any request takes.
    """

    def __init__(
        self, connection: RedisConnection, store_key: str, *, given_up_after_seconds: float
    ) -> None:
        self._connection = connection
        self._keys = [f"{store_key}:window", f"{store_key}:window-in-flight"]
        self._given_up_after_seconds = given_up_after_seconds

    async def take(self, token: str, now: float, floor: int) -> Take | None:
        """Asks for one request; it is granted where more than `floor` are left and not in flight.

        Nothing known grants as well. Returns None where Redis is away: the caller goes by its own
        view.
        """
        answer = await self._run(TAKE, token, now, now + self._given_up_after_seconds, floor)
        if answer is None:
            return None
        granted, wait_seconds, may_be_left = answer
        is_sure = not granted and not may_be_left
        return Take(bool(granted), float(wait_seconds), is_sure)

    async def tell(
        self,
        token: str,
        sent: float,
        received: float,
        left: int | None = None,
        quota: int | None = None,
        resets_in: float | None = None,
    ) -> None:
        """Tells of the answer to a request, or (all None) of one without headers, or of none."""
        if left is None or quota is None or resets_in is None:
            await self._run(TELL, token, received, sent)
        else:
            await self._run(TELL, token, received, sent, left, quota, resets_in)

    async def give_back(self, token: str) -> None:
        """Takes a request back that was granted and not sent."""
        await self._connection.run(
            lambda redis: redis.zrem(self._keys[1], token), 0, purpose="the quota"
        )

    async def pause(self, until: float) -> None:
        """Lets nobody send before that time."""
        await self._connection.run(
            lambda redis: redis.eval(PAUSE, 1, self._keys[0], until),
            None,
            purpose="the quota",
        )

    async def _run(
        self, script: str, token: str, now: float, *arguments: float
    ) -> tuple[int, bytes, int] | None:
        return await self._connection.run(
            lambda redis: redis.eval(
                script, 2, *self._keys, token, now, WINDOW_SECONDS, *arguments
            ),
            None,
            purpose="the quota",
        )
