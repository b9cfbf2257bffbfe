"""Runs the command `gateway` as `python -m gateway`."""

import sys

from gateway.cli import main

sys.exit(main())
