"""The one place where an error becomes an exit status and words: 0 done, 3 refused, 2 wrong usage, 1 failed."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from api.cli.options import Invocation
from verify.formats.refusal import Refusal, RefusedError, Text

DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3
WRONG_USAGE = frozenset({"TIME_MALFORMED", "TRUST_UNREADABLE"})
"""Refusals of an option's value, which a shell calls wrong usage."""
LOG_NAME = "certvault.log"


def log_to(folder: Path | None) -> Path | None:
    """Send the log's warnings and errors to ``certvault.log`` in the vault's folder; nowhere when there is no vault."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, RotatingFileHandler)]:
        root.removeHandler(handler)
        handler.close()
    if folder is None or not (folder / "vault.toml").is_file():
        return None
    path = folder / LOG_NAME
    try:
        path.touch(mode=0o600)
        handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3, encoding="utf-8", delay=True)
    except OSError:
        return None
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    return path


class _WithoutTraceback(logging.Formatter):
    """One line a record; where it came from is for the log file."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname} {record.getMessage()}"


def log_to_terminal() -> None:
    """Show what the service does on stderr as well, without tracebacks."""
    handler = logging.StreamHandler()
    handler.setFormatter(_WithoutTraceback())
    for name in ("certvault", "uvicorn.error"):
        logging.getLogger(name).handlers = [handler]
        logging.getLogger(name).setLevel(logging.INFO)


def quiet() -> None:
    """Keep the log away from stderr until somebody asks for it there."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())


def report(invocation: Invocation, error: Exception) -> int:
    """Tell the user what went wrong and return the exit status. Detail goes to the log alone."""
    from api.cli import output
    from api.problems import problem_of

    if isinstance(error, RefusedError):
        output.refusals(invocation, error.refusals)
        return USAGE if {r.code for r in error.refusals} <= WRONG_USAGE else REFUSED
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError):
        output.refusals(invocation, [_path_refusal(error)])
        return FAILED
    shown = _settings_refusal(error)
    if shown:
        output.refusals(invocation, [shown])
        return FAILED
    log = log_to(invocation.folder)
    problem = problem_of(error)
    output.refusals(invocation, problem.refusals, reference=problem.reference)
    if log:
        output.say(f"  {'日志' if invocation.zh else 'log'}: {log}")
    return FAILED


def interrupted(invocation: Invocation) -> int:
    """Ctrl-C, with the status a shell expects."""
    sys.stderr.write("\n" + ("已中断。" if invocation.zh else "Interrupted.") + "\n")
    return 130


def _path_refusal(error: OSError) -> Refusal:
    name = error.filename if isinstance(error.filename, str) else str(error.filename or "")
    words = {
        FileNotFoundError: Text(f"没有文件 {name}", f"there is no {name}"),
        PermissionError: Text(f"无权读写 {name}", f"no permission to read or write {name}"),
        IsADirectoryError: Text(f"{name} 是文件夹", f"{name} is a folder"),
        NotADirectoryError: Text(f"{name} 不是文件夹", f"{name} is not a folder"),
    }
    reason = next(text for kind, text in words.items() if isinstance(error, kind))
    return Refusal("PATH_UNREADABLE", "", reason, Text("请检查路径与权限。", "Check the path and its permissions."))


def _settings_refusal(error: Exception) -> Refusal | None:
    """A vault that is not there, or whose PIN is missing, is the user's to mend: say so in full."""
    from certvault.errors import SettingsError
    from signing.errors import PinError

    if isinstance(error, SettingsError):
        return Refusal(
            "SETTINGS_WRONG",
            "",
            Text(f"无法打开保管库：{error.reason.zh}", f"the vault cannot be opened: {error.reason.en}"),
            Text(
                "用 certvault init 新建，或以 --vault 指明文件夹。",
                "Make one with certvault init, or name its folder with --vault.",
            ),
        )
    if isinstance(error, PinError):
        return Refusal(
            "PIN_REFUSED",
            "",
            Text("密钥的口令缺失或不正确", f"the PIN cannot be used: {error}"),
            Text(
                "请检查保管库中的口令文件，或设置 CERTVAULT_PIN。",
                "Check the PIN file in the vault's folder, or set CERTVAULT_PIN.",
            ),
        )
    return None


def usage(invocation: Invocation, error: Exception) -> int | None:
    """The status of an error of usage, told as such; None for any other error."""
    import typer
    from typer.exceptions import TyperException

    from api.cli import output

    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort):
        return interrupted(invocation)
    if not isinstance(error, TyperException):
        return None
    message = error.format_message()
    if invocation.as_json:
        reason = Text(f"用法有误：{message}", message)
        refusal = Refusal("USAGE", "", reason, Text("见 certvault --help。", "See certvault --help."))
        output.refusals(invocation, [refusal])
        return USAGE
    context = getattr(error, "ctx", None)
    if context is not None and type(error).__name__ != "NoArgsIsHelpError":
        output.say(context.get_usage())
    output.say(message)
    return USAGE
