"""The parsed options."""

import argparse
from pathlib import Path
from typing import Literal

from gateway.emulator import Latency, Rule
from gateway.emulator.operation_names import OperationName
from gateway.identity import AccessScope


class Arguments(argparse.Namespace):
    """The parsed options; each command reads its own."""

    command: Literal[
        "serve", "emulator", "schema", "settings", "check", "keys", "demo", "completion"
    ]
    host: str
    port: int
    workers: int
    segments: int
    profiles: int
    latency: Latency
    max_limit: int
    over_limit: Literal["clamp", "refuse"]
    past_the_end: Literal["empty", "refuse"]
    token_scope: Literal["store_v2_customers", "store_v2_customers_read_only"]
    dialect: Literal["2025", "2026"]
    profile_segment_rows: Literal["segments", "ids"]
    max_batch: int | None
    forbidden_operations: list[OperationName]
    faults: list[Rule]
    quota: int
    window_ms: int
    control: bool
    api: bool
    json: bool
    action: Literal["create", "list", "revoke"]
    name: str
    scopes: list[AccessScope]
    file: Path
    shell: Literal["bash", "zsh", "fish"]
