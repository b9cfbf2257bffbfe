"""The command line: the options of each command.

`commands` has every command; the options of `emulator` and the actions of `keys` are in `emulator`
and `keys`. `parser` says how mistakes are reported, `values` has the types of options,
`namespace` the parsed options.
"""

from gateway.arguments.commands import create_parser
from gateway.arguments.namespace import Arguments

__all__ = ["Arguments", "create_parser"]
