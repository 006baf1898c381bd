"""Processes that work on a vault and kill themselves at their n-th step: transaction, signature, file.

usage: dying_child.py FOLDER POINT,POINT,… issue ORDERS.json | mint TYPE ROWS OUT | drill KEY SINCE PHASE,PHASE,… |
       publish PURPOSE

One process after the other, each forked before it opens the vault; point 0 never kills. ``ORDERS.json`` holds one
list of ``[type, data]`` for each process; a drill's steps count from the beginning of its process's phase on, those of
publishing once the key was rolled over. Printed is one JSON list of ``[signal, steps]``; signal 0: it ended itself.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certvault.db.unit_of_work as unit_of_work
import certvault.workers  # noqa: F401 - loaded once, before forking
from certvault.bootstrap import LOCAL_OPERATOR, open_vault
from certvault.drill import Drills
from signing.signer import BackendSigner


class Steps:
    """Counts, and kills the process at the fatal step."""

    def __init__(self, fatal: int) -> None:
        self.count = 0
        self.fatal = fatal
        self.counting = True

    def __call__(self) -> None:
        self.count += self.counting
        if self.counting and self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """A step before and one after each call."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self()
            result = call(*args, **kwargs)
            self()
            return result

        return wrapped


def work(folder: Path, n: int, point: int, mode: str, arguments: list[str]) -> int:
    vault = open_vault(folder)
    steps = Steps(point)
    plain = unit_of_work.Database.writing

    def writing(self: Any) -> Any:
        steps()
        return plain(self)

    unit_of_work.Database.writing = writing  # type: ignore[method-assign]
    BackendSigner.sign = steps.around(BackendSigner.sign)  # type: ignore[method-assign]
    os.replace = steps.around(os.replace)
    os.fsync = steps.around(os.fsync)
    if mode == "issue":
        for name, data in json.loads(Path(arguments[0]).read_text("utf-8"))[n]:
            vault.issuing.issue(name, data, actor=LOCAL_OPERATOR)
    elif mode == "drill":
        key, since, phases = arguments
        steps.counting = False
        begun_with(steps, phases.split(",")[n])
        vault.drills.run(key, datetime.datetime.fromisoformat(since), LOCAL_OPERATOR)
    elif mode == "publish":
        steps.counting = False
        vault.pki.rollover(arguments[0], LOCAL_OPERATOR)
        steps.counting = True
        vault.trust_lists.newest()
    else:
        vault.minting.mint(arguments[0], Path(arguments[1]), Path(arguments[2]), actor=LOCAL_OPERATOR)
    vault.close()
    return steps.count


def begun_with(steps: Steps, phase: str) -> None:
    """Count from the moment on at which the drill comes to ``phase``."""
    plain = getattr(Drills, f"_{phase}")

    def begun(self: Any, work: Any) -> None:
        steps.counting = True
        plain(self, work)

    setattr(Drills, f"_{phase}", begun)


def main() -> None:
    folder, points, mode, *arguments = sys.argv[1:]
    outcomes = []
    for n, point in enumerate(int(p) for p in points.split(",")):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, str(work(Path(folder), n, point, mode, arguments)).encode())
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        steps = int(os.read(reading, 20) or b"0")
        os.close(reading)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            sys.exit(1)
        outcomes.append([os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, steps])
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
