"""Breaks the emulated store, and reads what it was asked (docs/emulator.md)."""

import httpx
import msgspec

Fault = dict[str, str | int | float]


class Window(msgspec.Struct):
    """A window of the quota: requests that came, and those refused for it."""

    requests: int
    refused: int


class Asked(msgspec.Struct):
    """What the store was asked since the last time."""

    total: int
    statuses: dict[str, int]
    windows: list[Window]


class Control:
    """The control routes of an emulator."""

    def __init__(self, port: int) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}/_emulator", timeout=10)

    def fail(self, *faults: Fault) -> None:
        """Lets requests fail in these ways from now on."""
        self._http.put("/faults", json={"rules": [*faults]}).raise_for_status()

    def behave(self, **manners: object) -> None:
        """Changes how it answers, such as its latency or its quota."""
        self._http.patch("/manners", json=manners).raise_for_status()

    def recover(self) -> None:
        """Lets it answer as it should."""
        self._http.delete("/faults").raise_for_status()
        self.behave(latency={"kind": "constant", "seconds": 0.02}, quota=1_000_000)

    def forget(self) -> None:
        """Sets the counts back."""
        self._http.delete("/requests").raise_for_status()

    def asked(self) -> Asked:
        """Returns what it was asked."""
        return msgspec.json.decode(self._http.get("/requests").content, type=Asked)
