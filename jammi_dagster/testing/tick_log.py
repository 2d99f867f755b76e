"""The log of a tick: Dagster hands no message of a tick that requests runs to its caller."""

from __future__ import annotations

import logging


class LogLines(logging.Handler):
    """The messages that a logger is given."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.lines.append(record.getMessage())
