"""Shares of a backup key on their way to and from their keepers: one by one, to files or the terminal, nowhere else.

What is shown here never goes through the functions that print results or logs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from api.cli.options import Invocation
from verify.formats.refusal import RefusedError, refuse

MAX_SHARE = 4096
_CLEAR = "\x1b[3J\x1b[H\x1b[2J"


def numbers(text: str, folder: Path | None) -> tuple[int, int]:
    """``K/N``; RefusedError for other texts, for a folder that holds shares, and without folder or terminal."""
    threshold, slash, count = text.partition("/")
    if not slash or not threshold.isdecimal() or not count.isdecimal() or len(text) > 5:
        raise _wrong(
            "--shares", "份数写作 K/N，如 3/5", "shares are written K/N, such as 3/5", "2/2 … 32/32", "2/2 to 32/32"
        )
    if folder is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise _wrong(
            "--shares-to",
            "没有终端可显示分片",
            "there is no terminal to show the shares on",
            "请以 --shares-to 给出文件夹。",
            "Name a folder with --shares-to.",
        )
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _wrong(
            "--shares-to",
            f"{folder} 不是空文件夹",
            f"{folder} is no empty folder",
            "请另选文件夹。",
            "Choose another folder.",
        )
    return int(threshold), int(count)


def keep(
    invocation: Invocation, wanted: tuple[int, int], folder: Path | None
) -> Callable[[Sequence[tuple[int, str]]], None]:
    """What hands the shares out: a file each, or the terminal one after another."""
    if folder is None:
        return lambda shares: _show(invocation, shares)
    return lambda shares: _write(folder, wanted[1], shares)


def _write(folder: Path, count: int, shares: Sequence[tuple[int, str]]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, text in shares:
        path = folder / f"share-{number}-of-{count}.txt"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _show(invocation: Invocation, shares: Sequence[tuple[int, str]]) -> None:
    for number, text in shares:
        keeper = (
            f"请第 {number} 位保管人（共 {len(shares)} 位）独自上前抄录，然后按回车：\n\n"
            if invocation.zh
            else f"Keeper {number} of {len(shares)}, come alone, copy this, then press Enter:\n\n"
        )
        sys.stderr.write(_CLEAR + keeper + text + "\n")
        sys.stderr.flush()
        sys.stdin.readline()
    sys.stderr.write(_CLEAR)
    sys.stderr.flush()


def read(invocation: Invocation, files: Sequence[Path]) -> list[str]:
    """The texts of shares; ``-`` is typed or pasted at the terminal, ended by an empty line."""
    return [_typed(invocation) if str(file) == "-" else _from(file) for file in files]


def _from(file: Path) -> str:
    with file.open("rb") as stream:
        return stream.read(MAX_SHARE + 1).decode("utf-8", "replace")


def _typed(invocation: Invocation) -> str:
    if sys.stdin.isatty():
        sys.stderr.write("请输入一份分片，以空行结束：\n" if invocation.zh else "Type a share, then an empty line:\n")
        sys.stderr.flush()
    lines: list[str] = []
    while (line := sys.stdin.readline(MAX_SHARE)).strip() and len(lines) < 20:
        lines.append(line)
    if sys.stdin.isatty():
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
    return "".join(lines)


def _wrong(field: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> RefusedError:
    return refuse("KEY_SHARES", field, zh, en, remedy_zh=remedy_zh, remedy_en=remedy_en)
