"""The command line, ``certvault``."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and end the process with its status."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit status. No error gets past it."""
    from api.cli import failures, options
    from api.cli.app import app

    options.forget()
    failures.quiet()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--json" in given:  # so that an error of usage, too, is told as the caller asked
        options.given(as_json=True)
    try:
        status = app(given, standalone_mode=False)
    except KeyboardInterrupt:
        return failures.interrupted(options.current())
    except BrokenPipeError:  # the reader of stdout had enough
        sys.stderr.close()
        return failures.DONE
    except Exception as error:  # noqa: BLE001 - the one handler of the command line
        return failures.usage(options.current(), error) or failures.report(options.current(), error)
    return status if isinstance(status, int) else failures.DONE
