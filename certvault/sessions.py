"""Which processes work on the vault now: one locked file per session in ``run/``.

The kernel drops the lock when a process ends, however it ends. So a session whose file is there and unlocked is dead,
and what it left half done may be taken up; nothing of a living session is touched.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

RUN_FOLDER = "run"


class Session:
    """This process's claim. ``id`` stands in allotted numbers, jobs and audit chains."""

    def __init__(self, folder: Path) -> None:
        self.id = secrets.token_hex(8)
        self._folder = folder / RUN_FOLDER
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._path = self._folder / f"{self.id}.lock"
        while True:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if self._path.exists():
                break  # else somebody swept the file between the two calls, and the lock is on nothing
            os.close(self._descriptor)

    def is_alive(self, session: str) -> bool:
        """Whether the process of that session is still there. A session without file has ended in good order."""
        if session == self.id:
            return True
        path = self._folder / f"{session}.lock"
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def sweep(self) -> int:
        """Remove the files of dead sessions; returns how many."""
        dead = 0
        for path in self._folder.glob("*.lock"):
            if not self.is_alive(path.stem):
                with contextlib.suppress(OSError):
                    path.unlink()
                    dead += 1
        return dead

    def end(self) -> None:
        """This process is done."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
