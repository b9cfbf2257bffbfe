"""How many retries all operations together may cost, so that a failing upstream is not flooded."""

# For each operation a part of a retry is saved up, and so many at the most.
RETRIES_PER_OPERATION = 0.2
MOST_SAVED = 10.0


class RetryBudget:
    """A purse of retries; `spent` and `denied` count."""

    def __init__(self) -> None:
        self.spent = self.denied = 0
        self._saved = MOST_SAVED

    def earn(self) -> None:
        """Saves up for one operation."""
        self._saved = min(self._saved + RETRIES_PER_OPERATION, MOST_SAVED)

    def spend(self) -> bool:
        """Takes one retry out; returns whether there was one."""
        if self._saved < 1:
            self.denied += 1
            return False
        self._saved -= 1
        self.spent += 1
        return True
