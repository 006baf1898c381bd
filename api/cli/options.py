"""Options that every command takes, before its name or after: the vault, JSON, the language."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api import language

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

VAULT_ENVIRONMENT = "CERTVAULT_VAULT"
DEFAULT_VAULT = Path("var")

VaultOption = Annotated[
    Path | None,
    typer.Option("--vault", metavar="DIR", help="The vault's folder [env CERTVAULT_VAULT; ./var]", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]
LangOption = Annotated[
    str | None, typer.Option("--lang", metavar="zh|en", help="Language of messages [LANG; zh]", show_default=False)
]


@dataclass(frozen=True, slots=True)
class Invocation:
    """What this run of the command line was told. ``vault`` is None when nobody named one."""

    vault: Path | None = None
    as_json: bool = False
    lang: str = "zh"

    @property
    def zh(self) -> bool:
        """Whether to answer in Chinese."""
        return self.lang == "zh"

    @property
    def folder(self) -> Path:
        """The vault's folder: ``--vault``, else CERTVAULT_VAULT, else ``./var``."""
        return self.vault or Path(os.environ.get(VAULT_ENVIRONMENT) or DEFAULT_VAULT)

    def has_vault(self) -> bool:
        """Whether there is a vault in the folder."""
        return (self.folder / "vault.toml").is_file()

    @contextmanager
    def open_vault(self) -> Iterator[Vault]:
        """The vault, closed at the end."""
        from api.cli.failures import log_to
        from certvault.bootstrap import open_vault

        log_to(self.folder)
        with open_vault(self.folder) as vault:
            yield vault


_current = Invocation(lang=language.from_environment())


def current() -> Invocation:
    """What is known so far; for whoever must answer before, or without, a command."""
    return _current


def given(vault: Path | None = None, as_json: bool = False, lang: str | None = None) -> Invocation:
    """Add what was said at one place to what was said before it."""
    global _current  # noqa: PLW0603 - one command line a process
    if lang is not None and lang not in language.LANGUAGES:
        raise typer.BadParameter("zh | en", param_hint="--lang")
    _current = replace(
        _current,
        vault=vault or _current.vault,
        as_json=as_json or _current.as_json,
        lang=lang or _current.lang,
    )
    return _current


def forget() -> None:
    """Back to the beginning: the next command line of this process starts anew."""
    global _current  # noqa: PLW0603 - one command line a process
    _current = Invocation(lang=language.from_environment())
