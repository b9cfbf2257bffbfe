"""Tables of clauses: each row is a clause of a specification, and the check that it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

import pytest

Check = TypeVar("Check")
# OWN: no specification says so, the gateway does.
Level: TypeAlias = Literal["MUST", "SHOULD", "MAY", "OWN"]


@dataclass(frozen=True)
class Clause(Generic[Check]):
    """A clause: its id, such as "RFC 9112, 3.2", its level, its sentence, and its check."""

    id: str
    level: Level
    sentence: str
    check: Check


class Clauses(list[Clause[Check]]):
    """The clauses of one table, in the order of their checks in the file."""

    def row(self, id: str, level: Level, sentence: str) -> Callable[[Check], Check]:  # noqa: A002 - the field's name
        """Returns the decorator that adds a check; no two rows have the same id and sentence."""
        assert (id, sentence) not in {(clause.id, clause.sentence) for clause in self}

        def add(check: Check) -> Check:
            self.append(Clause(id, level, sentence, check))
            return check

        return add

    def each(self) -> pytest.MarkDecorator:
        """Returns the mark of the test that takes each row as `clause`."""
        names = [f"{clause.id} {clause.level}: {clause.sentence}" for clause in self]
        return pytest.mark.parametrize("clause", self, ids=names)
