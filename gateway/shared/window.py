"""One view of a store's quota for all processes: whether one more request may be sent."""

from dataclasses import dataclass

from gateway.shared.connection import RedisClient, RedisConnection

# BigCommerce's guide to rate limits: a fixed window of 30 s.
WINDOW_SECONDS = 30.0
# Longer than any pause that an answer can demand, which is a day.
KEPT_MILLISECONDS = 90_000_000

# The rules are those of `gateway.bigcommerce.quota.QuotaView`, which the tests hold the script to.
RESOLUTION_SECONDS, TOLERANCE_SECONDS = 0.001, 5.0

# KEYS: a hash; a sorted set of requests in flight, scored with when they are given up; one of
# requests of which no answer told, scored with when they ended.
# ARGV: the token of a request, now.
#
# In the hash: `fewest`, the fewest requests left that an answer of this window told, and whether
# one did (`is_told`), else it is the whole of a window that follows the last one; `quota`; when the
# window ends, between `earliest` and `latest`, since nobody knows when between sending and
# receiving the upstream wrote its answer; `pause`.
BEGINNING = f"""
local window, in_flight, untold = KEYS[1], KEYS[2], KEYS[3]
local token, now = ARGV[1], tonumber(ARGV[2])
local function get(field) return tonumber(redis.call('HGET', window, field)) end
local function set(...) redis.call('HSET', window, ...) end
local function forget_untold(til) redis.call('ZREMRANGEBYSCORE', untold, '-inf', til) end

-- What was sent by a process that died may have been counted.
for _, given_up in ipairs(redis.call('ZRANGEBYSCORE', in_flight, '-inf', now)) do
  redis.call('ZREM', in_flight, given_up)
  redis.call('ZADD', untold, now, given_up)
end
forget_untold(now - {WINDOW_SECONDS})
local fewest = get('fewest')
if fewest and now >= get('latest') then
  forget_untold(get('earliest'))
  -- What is still in flight may be counted in it. One request at least, to be told of it.
  fewest = math.max(get('quota'), 1)
  local earliest = math.max(get('earliest') + {WINDOW_SECONDS}, now)
  set('fewest', fewest, 'is_told', 0, 'earliest', earliest, 'latest', now + {WINDOW_SECONDS})
end
"""
END = f"""
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, {KEPT_MILLISECONDS}) end
"""
# ARGV after those: when the request is given up, how many requests have to be left after it.
# Returns whether it may be sent, else the seconds to wait, and whether an answer to come may leave
# something of this window.
TAKE = f"""{BEGINNING}
local pause = get('pause')
local flying = redis.call('ZCARD', in_flight)
local left = fewest and fewest - redis.call('ZCARD', untold)
local granted, wait, may_be_left = 0, 0, 1
if pause and now < pause then
  wait, may_be_left = pause - now, 0
elseif not left or left - flying > tonumber(ARGV[4]) then
  granted = 1
  redis.call('ZADD', in_flight, ARGV[3], token)
else
  wait = get('latest') - now
  if fewest <= 0 or (left <= 0 and flying == 0) then may_be_left = 0 end
end
{END}
return {{granted, string.format('%.17g', wait), may_be_left}}
"""
# ARGV after those, `now` being when the answer was received: when the request was sent; then, or
# nothing where the answer does not say, requests left, the quota, seconds until it resets.
TELL = f"""{BEGINNING}
redis.call('ZREM', in_flight, token)
local sent = tonumber(ARGV[3])
if ARGV[4] then
  local left, quota, resets_in = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  local earliest = sent + resets_in - {RESOLUTION_SECONDS}
  local latest = now + resets_in + {RESOLUTION_SECONDS}
  local known_earliest, known_latest = get('earliest') or 0, get('latest') or 0
  if latest >= known_earliest - {TOLERANCE_SECONDS} then  -- else it is of a window that has ended
    if fewest and get('is_told') == 1 and earliest <= known_latest + {TOLERANCE_SECONDS} then
      left = math.min(fewest, left)
      earliest = math.max(known_earliest, earliest)
      latest = math.min(known_latest, latest)
    end
    set('fewest', left, 'is_told', 1, 'quota', quota, 'earliest', earliest, 'latest', latest)
    forget_untold(sent)
  end
else
  redis.call('ZADD', untold, now, token)
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
        self._keys = [f"{store_key}:window{part}" for part in ("", "-in-flight", "-untold")]
        self._given_up_after_seconds = given_up_after_seconds

    async def take(self, token: str, now: float, floor: int) -> Take | None:
        """Asks for one request; it is granted where more than `floor` are left and not in flight.

        Nothing known grants as well. Returns None where Redis is away: the caller goes by its own
        view.
        """
        arguments = (token, now, now + self._given_up_after_seconds, floor)

        async def take(redis: RedisClient) -> Take:
            answer = await redis.eval(TAKE, len(self._keys), *self._keys, *arguments)
            granted, wait_seconds, may_be_left = answer
            return Take(bool(granted), float(wait_seconds), not granted and not may_be_left)

        nothing: Take | None = None
        return await self._connection.run(take, nothing, purpose="the quota")

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

    async def _run(self, script: str, token: str, now: float, *arguments: float) -> None:
        await self._connection.run(
            lambda redis: redis.eval(script, len(self._keys), *self._keys, token, now, *arguments),
            None,
            purpose="the quota",
        )
