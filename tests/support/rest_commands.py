"""The shell commands of a page: the small part of sh, curl and jq in which pages ask the store.

A script assigns variables, also from the answer of a command (`ids=$(curl … | jq -r '…')`), and
runs `curl` with `-X`, `-H`, `--json` and one URL. What is printed for the reader is not read.
"""

import json
import re
import shlex
from string import Template
from typing import Any

import httpx
from starlette.types import ASGIApp

# An answer of the store is as deep as its operation makes it.
Json = Any
ASSIGNMENT = re.compile(r"(\w+)=(?!\$\()(.*)")
CAPTURE = re.compile(r"(\w+)=\$\((.*)\)")
STEP = re.compile(r"\.(\w+)|\[(\d*)\]")


class RestClient:
    """Runs scripts against an application, without a socket; keeps their variables and answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.variables: dict[str, str] = {}
        self.answers: list[Json] = []
        self._transport = httpx.ASGITransport(app)

    async def run(self, script: str) -> None:
        """Runs one line after another; raises `httpx.HTTPStatusError` where one is refused."""
        for line in script.replace("\\\n", " ").splitlines():
            if captured := CAPTURE.fullmatch(line):
                name, command = captured.groups()
                self.variables[name] = await self._command(command, is_read=True)
            elif assigned := ASSIGNMENT.fullmatch(line):
                name, value = assigned.groups()
                (self.variables[name],) = shlex.split(value)
            else:
                await self._command(line, is_read=False)

    async def _command(self, command: str, *, is_read: bool) -> str:
        """Runs `curl … [| jq …]`; returns what is printed, where it is read."""
        words = [Template(word).substitute(self.variables) for word in shlex.split(command)]
        curl, jq = words, list[str]()
        if "|" in words:
            curl, jq = words[: words.index("|")], words[words.index("|") + 1 :]
        request = curl_request(curl)
        async with httpx.AsyncClient(transport=self._transport) as http:
            response = await http.send(request)
        response.raise_for_status()
        answer = response.json() if response.content else None
        self.answers.append(answer)
        if not is_read:
            return ""
        program, option, selection = jq
        assert program == "jq"
        selected = select(answer, selection)
        return str(selected) if option == "-r" else json.dumps(selected)


def curl_request(words: list[str]) -> httpx.Request:
    """Returns the request that `curl` sends for these words; raises `ValueError` for others."""
    program, *rest = words
    method, headers, body, urls = None, httpx.Headers(), None, list[str]()
    while rest:
        word = rest.pop(0)
        if word == "-X":
            method = rest.pop(0)
        elif word == "-H":
            name, _, value = rest.pop(0).partition(": ")
            headers[name] = value
        elif word == "--json":
            body = rest.pop(0)
            headers.update({"Content-Type": "application/json", "Accept": "application/json"})
        else:
            urls.append(word)
    if program != "curl" or len(urls) != 1 or not urls[0].startswith("http"):
        raise ValueError(f"no command that is understood: {shlex.join(words)}")
    implied = "GET" if body is None else "POST"
    return httpx.Request(method or implied, urls[0], headers=headers, content=body)


def select(value: Json, selection: str) -> Json:
    """Returns what jq selects: `.data[0].id`, `[.data[].id]`, either with `| join(",")`."""
    path, _, then = selection.partition(" | ")
    is_list = path.startswith("[")
    values = [value]
    for name, index in STEP.findall(path[1:-1] if is_list else path):
        if name:
            values = [one[name] for one in values]
        elif index:
            values = [one[int(index)] for one in values]
        else:
            values = [row for one in values for row in one]
    selected = values if is_list else values[0]
    assert then in ("", 'join(",")')
    return ",".join(map(str, selected)) if then else selected
