"""Starts workers, replaces those that die or hang, and all of them in turn at SIGHUP."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.lifecycle import Stage
from gateway.server.pauses import Pauses
from gateway.server.serving import Manners
from gateway.server.signals import SIGHUP, stage_after

# How long a worker may be silent that writes a byte each second.
HUNG_SECONDS = 10.0
# How long one may take until it serves.
START_SECONDS = 60.0
# One that has served for as long ended for a reason of its own: the next will serve, too.
STEADY_SECONDS = 10.0

log = logging.getLogger(__name__)


class Process(Protocol):
    """What the supervisor needs of a `Worker`."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def ends(self) -> int:
        """What becomes readable when it ends."""

    @property
    def exit_status(self) -> int | None:
        """How it ended; None while it runs."""

    def beat(self) -> Stage | None:
        """Returns what it wrote last; RUNNING: it serves, DRAINING: it asks to be replaced."""

    def tell(self, stage: Stage) -> None:
        """Has it go on to a stage."""

    def kill(self) -> None:
        """Ends it at once."""

    def close(self) -> None:
        """Forgets one that has ended."""


@dataclass(eq=False, slots=True)
class Post:
    """A process, and what the supervisor knows of it; times are those of the supervisor's clock."""

    process: Process
    killed_at: float
    serves_since: float | None = None
    is_leaving: bool = False


class Supervisor:
    """Keeps `count` workers at work.

    `go_on` does what is due, and never waits; `signals` are those that it has not minded yet.
    """

    def __init__(self, start: Callable[[], Process], count: int, manners: Manners) -> None:
        self.signals: list[int] = []
        self.is_clean = True
        self._start = start
        self._count = count
        self._manners = manners
        self._stage = Stage.STARTING
        self._posts: list[Post] = []
        # At a rolling restart: those to replace, the one that is being replaced, and by whom.
        self._to_replace: list[Post] = []
        self._replaced: Post | None = None
        self._newcomer: Post | None = None
        self._pauses = Pauses()

    def ends(self) -> Sequence[int]:
        """Returns what becomes readable when a worker ends."""
        return [post.process.ends for post in self._posts]

    def go_on(self, now: float) -> bool:
        """Does what is due at this time, in seconds; returns whether there is more to come."""
        while self.signals:
            self._mind_signal(self.signals.pop(0), now)
        for post in list(self._posts):
            self._look_at(post, now)
        if self._stage >= Stage.DRAINING:
            return bool(self._posts)
        if self._stage is Stage.STARTING and self._pauses.failures and not self._posts:
            log.error("no worker could start; the lines above say why")
            self.is_clean = False
            return False
        self._fill(now)
        self._replace_next(now)
        return True

    def _mind_signal(self, number: int, now: float) -> None:
        if number in SIGHUP:
            self._to_replace = [post for post in self._posts if not post.is_leaving]
            return
        self.stop(stage_after(self._stage, number), now)

    def stop(self, stage: Stage, now: float) -> None:
        """Has all workers go on to one of the last stages."""
        self._stage = stage
        for post in self._posts:
            self._dismiss(post, stage, now)

    def _dismiss(self, post: Post, stage: Stage, now: float) -> None:
        post.is_leaving = True
        seconds = 0 if stage is Stage.FORCED else self._manners.stop_seconds
        post.killed_at = now + HUNG_SECONDS + seconds
        post.process.tell(stage)

    def _look_at(self, post: Post, now: float) -> None:
        """Minds a worker's end, what it tells, and its silence."""
        status = post.process.exit_status
        if status is not None:
            self._posts.remove(post)
            self._mind_end(post, status, now)
            post.process.close()
            return
        stage = post.process.beat()
        if stage is not None and not post.is_leaving:
            post.killed_at = now + HUNG_SECONDS
            if stage is Stage.DRAINING:
                self._to_replace.append(post)
            if post.serves_since is None:
                self._mind_start(post, now)
        if now >= post.killed_at:
            log.warning("worker %s hangs, and is killed", post.process.pid)
            post.killed_at = math.inf
            post.process.kill()

    def _mind_start(self, post: Post, now: float) -> None:
        post.serves_since = now
        self._stage = max(self._stage, Stage.RUNNING)
        log.info("worker %s serves", post.process.pid)
        if post is self._newcomer:
            self._newcomer = None
            if self._replaced is not None:
                log.info("worker %s leaves", self._replaced.process.pid)
                self._dismiss(self._replaced, Stage.PARTING, now)

    def _mind_end(self, post: Post, status: int, now: float) -> None:
        if post is self._replaced:  # whoever was to replace it takes its place anyhow
            self._replaced = self._newcomer = None
        if self._stage >= Stage.DRAINING:
            self.is_clean = self.is_clean and status == 0
        elif post.is_leaving:
            log.info("worker %s has left", post.process.pid)
        elif post is self._newcomer:
            self._to_replace.clear()
            self._replaced = self._newcomer = None
            log.error("worker %s could not start: the others are not replaced", post.process.pid)
        else:
            is_steady = post.serves_since is not None and now >= post.serves_since + STEADY_SECONDS
            pause = self._pauses.after_an_end(now, is_steady=is_steady)
            log.warning("worker %s died (%s); %s", post.process.pid, _in_words(status), pause)

    def _fill(self, now: float) -> None:
        """Starts workers where some are missing: one at a time while they fail."""
        while self._pauses.is_over(now):
            posts = [p for p in self._posts if not p.is_leaving and p is not self._newcomer]
            is_one_starting = any(post.serves_since is None for post in posts)
            if len(posts) >= self._count or (self._pauses.failures and is_one_starting):
                return
            self._add(now)

    def _add(self, now: float) -> Post | None:
        try:
            post = Post(self._start(), now + START_SECONDS)
        except OSError as error:  # the machine has no room for one more
            pause = self._pauses.after_an_end(now, is_steady=False)
            log.error("no worker could be started (%s); %s", error.strerror or error, pause)
            return None
        self._posts.append(post)
        return post

    def _replace_next(self, now: float) -> None:
        """Starts the worker that takes the place of the next one, once the last one has left."""
        if self._newcomer is not None or any(post.is_leaving for post in self._posts):
            return
        # Those that died have been replaced; one that asked twice has left.
        self._to_replace = [post for post in self._to_replace if post in self._posts]
        if self._to_replace and self._pauses.is_over(now):
            self._newcomer = self._add(now)
            self._replaced = self._to_replace.pop(0) if self._newcomer else None


def _in_words(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
