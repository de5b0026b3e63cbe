"""How SQLite goes about what it is asked, and what the program asks it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, event
from sqlalchemy.dialects import sqlite


def plan_of(path: Path, query: Select[Any]) -> list[str]:
    """The steps of a question."""
    compiled = query.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    return explained(path, str(compiled), [None] * len(compiled.positiontup or ()))


def explained(path: Path, sql: str, parameters: Sequence[Any]) -> list[str]:
    """The steps of a statement with parameters, as the program sends it."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]


@contextmanager
def statements() -> Iterator[dict[str, Any]]:
    """What is sent to any database while inside: each statement with parameters of one of its times."""
    sent: dict[str, Any] = {}

    def statement(_c: Any, _cursor: Any, sql: str, parameters: Any, _context: Any, many: bool) -> None:  # noqa: FBT001  # SQLAlchemy's signature
        sent[sql] = parameters[0] if many else parameters

    event.listen(Engine, "before_cursor_execute", statement)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", statement)


def scanning(path: Path, sent: dict[str, Any]) -> list[str]:
    """Those of the statements that read a whole table."""
    return [
        sql
        for sql, parameters in sent.items()
        if any("SCAN" in step and "CONSTANT ROW" not in step for step in explained(path, sql, parameters))
    ]
