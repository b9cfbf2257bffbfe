"""A budget for the retries of all operations, so that they do not flood a failing upstream."""

# The retries that each operation adds to the budget, and the maximum that the budget holds.
RETRIES_PER_OPERATION = 0.2
MOST_SAVED = 10.0


class RetryBudget:
    """Retries that operations earn and spend; `spent` and `denied` count them."""

    def __init__(self) -> None:
        self.spent = self.denied = 0
        self._saved = MOST_SAVED

    def earn(self) -> None:
        """Adds the share of one operation."""
        self._saved = min(self._saved + RETRIES_PER_OPERATION, MOST_SAVED)

    def spend(self) -> bool:
        """Takes one retry; returns whether there was one."""
        if self._saved < 1:
            self.denied += 1
            return False
        self._saved -= 1
        self.spent += 1
        return True
