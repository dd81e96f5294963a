"""Taking turns among the workers of a study, and knowing which of them are alive.

Both are locks that the operating system, or PostgreSQL, gives back when their holder dies. So nothing
depends on
clocks: a worker killed with -9 is known to be gone at once, and a slow one is never taken for dead.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from sqlalchemy import Engine

__all__ = ["FileTurns", "PostgresTurns", "Turns"]


class Turns(Protocol):
    """What a storage needs beside itself."""

    def turn(self) -> AbstractContextManager[None]:
        """One worker at a time, over all processes and machines."""

    def join(self, worker: str) -> None:
        """Be alive under this name until `leave`, or death."""

    def alive(self, worker: str) -> bool:
        """Whether the worker of this name still is."""

    def leave(self) -> None:
        """Be alive no more."""


class FileTurns:
    """Turns on one machine, by locked files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own: BaseFileLock | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the folder's lock."""
        with self._lock("turn"):
            yield

    def join(self, worker: str) -> None:
        """Hold a locked file of one's own."""
        self._own = self._lock(worker)
        self._own.acquire()

    def alive(self, worker: str) -> bool:
        """Whether the worker's file is locked. Call it in a turn."""
        from filelock import Timeout

        if self._own is not None and self._own.lock_file == str(self._path(worker)):
            return True
        lock = self._lock(worker)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        self._path(worker).unlink(missing_ok=True)
        return False

    def leave(self) -> None:
        """Give the file back."""
        if self._own is not None:
            self._own.release()
            Path(self._own.lock_file).unlink(missing_ok=True)
            self._own = None

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.lock"

    def _lock(self, name: str) -> BaseFileLock:
        from filelock import FileLock

        return FileLock(self._path(name))


class PostgresTurns:
    """Turns among machines, by PostgreSQL's advisory locks: they end with the connection that holds them."""

    def __init__(self, engine: Engine, study: str) -> None:
        self.engine = engine
        self.study = _number(study)
        self._own: Any = None
        self._name: str | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the study's lock; 0 is no worker's number."""
        with self._connect() as connection:
            self._ask(connection, "pg_advisory_lock", 0)
            try:
                yield
            finally:
                self._ask(connection, "pg_advisory_unlock", 0)

    def join(self, worker: str) -> None:
        """Hold a connection with a lock of one's own."""
        self._own, self._name = self._connect(), worker
        self._ask(self._own, "pg_advisory_lock", _number(worker))

    def alive(self, worker: str) -> bool:
        """Whether the worker's connection holds its lock. Call it in a turn."""
        if worker == self._name:
            return True
        with self._connect() as connection:
            free = self._ask(connection, "pg_try_advisory_lock", _number(worker))
            if free:
                self._ask(connection, "pg_advisory_unlock", _number(worker))
        return not free

    def leave(self) -> None:
        """Close the connection."""
        if self._own is not None:
            self._own.invalidate()  # closed, not handed back to the pool with its lock
            self._own.close()
            self._own = None

    def _connect(self) -> Any:
        return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _ask(self, connection: Any, function: str, number: int) -> Any:
        from sqlalchemy import text

        values = {"study": self.study, "number": number}
        return connection.execute(
            text(f"SELECT {function}(CAST(:study AS int), CAST(:number AS int))"), values
        ).scalar()


def _number(name: str) -> int:
    """A positive 31-bit number of a name: what an advisory lock is called."""
    return zlib.crc32(name.encode()) >> 1 | 1
