"""The statements that databases are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def statements(
    engine: sa.Engine | type[sa.Engine] = sa.Engine, *, but: Sequence[str] = ()
) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that an engine, or any, runs meanwhile, with parameters; none with a text of `but`."""
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if not any(text in statement for text in but):
            asked.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
