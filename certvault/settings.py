"""The vault's settings: ``vault.toml`` in its folder, and where the PIN comes from.

The file holds no secret, unless a database URL with a password was written into it on purpose. Members:

    [vault]     region, name, base_url, suite, production, allow_example, id
    [database]  url            "sqlite:///vault.db" is relative to the folder; "postgresql+psycopg://…" elsewhere
    [store]     url            "folder:store" is relative to the folder; "s3://bucket/prefix?endpoint=…" elsewhere
    [keys]      uri, pin, softhsm_conf, sessions
                               pin: "file" (the file ``pin``, mode 0600), "env" (CERTVAULT_PIN) or "prompt"
                               sessions: how many threads of a process work on a token at once, 1 to 256 (default 4)
    [keys.mechanisms.ALGORITHM]
                generate, sign, … what a token does in its maker's own way: :mod:`signing.backends.pkcs11_mechanisms`
    [limits]    mint_rows, mint_columns, mint_cell_chars
    [remote]    enabled, daily, clients
                               signing for callers elsewhere; signatures a day of one caller; client certificates, each
                               SHA256-OF-CERTIFICATE=TOKEN-ID, that come through the proxy
    [seals]     four_eyes      true: who applies for a seal never approves or activates it, whoever it is
                structure      "pades": licenses bear CMS signatures after PAdES; "ses-4", "ses-1": seal signatures of
                               GB/T 38540-2020, or of GM/T 0031-2014 for readers that know no other. Structures made
                               before stay as they are
    [status]    second_approver  true: an act on a license waits until a second person approves it
    [region]    role           "hub": the vault admits regions and keeps no licenses; it is set by init alone
                list_hours, sync_minutes
                               how long our trust list holds, in hours (1 to 4320; default 168); how often those of
                               adopted regions are asked for, in minutes (default 15)
                relay          true: agreements that are signed here are handed to the hubs that are followed
    [operator]  street, locality, postal_code, email, registration
                               who answers for the trust list and where, for its XML form; registration is the
                               unified social credit code
    [recognition] fetch        true: the status list of a license of an adopted region is fetched when it is missing
                countersigned, second_approver
                               true: an agreement counts once the other region has countersigned it; once a second
                               person has approved it. Without a word: true in production, false elsewhere
    [web]       plain_http, ca_file, proxy
                               asking other systems (:mod:`certvault.web`): "host:port" that need no https; a PEM
                               file in the folder whose authorities count instead of the system's; "http://host:port"
"""

from __future__ import annotations

import getpass
import json
import os
import re
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from certvault.errors import SettingsError
from signing.errors import PinError

FILE_NAME = "vault.toml"
_CLIENT = re.compile(r"[0-9a-f]{64}=[0-9a-f]{16}")
_HOST_PORT = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}")
PIN_FILE = "pin"
PIN_ENVIRONMENT = "CERTVAULT_PIN"  # a name, not a secret
REMOTE_DAILY = 10_000
KEY_SESSIONS, MOST_KEY_SESSIONS = 4, 256
_BARE = re.compile(r"[A-Za-z0-9_-]+")  # keys that TOML takes without quotes
OPERATOR = ("street", "locality", "postal_code", "email", "registration")
SUITES = ("p256", "rsa3072", "sm2")
STRUCTURES = ("pades", "ses-4", "ses-1")
ROLES = ("region", "hub")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one vault.

    ``sample`` is the opposite of ``production``: documents say 样本 SAMPLE. ``allow_example`` lets the published keys
    of ``keys-example/`` count as anchors; a vault's own keys are never such keys.
    """

    folder: Path
    vault_id: str
    region: str
    name: str
    base_url: str
    suite: str
    production: bool
    database_url: str
    store_url: str
    keys_uri: str
    pin_source: str
    softhsm_conf: str | None
    allow_example: bool = False
    mint_rows: int = 1_000_000
    mint_columns: int = 200
    mint_cell_chars: int = 20_000
    key_sessions: int = KEY_SESSIONS
    remote_signing: bool = True
    remote_daily: int = REMOTE_DAILY
    remote_clients: tuple[str, ...] = ()
    four_eyes: bool = False
    key_mechanisms: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    second_approver: bool = False
    agreement_countersigned: bool = False
    agreement_approver: bool = False
    seal_structure: str = "pades"
    role: str = "region"
    list_hours: int = 168
    operator: Mapping[str, str] = field(default_factory=dict)
    sync_minutes: int = 15
    relay: bool = True
    recognition_fetch: bool = True
    web_plain_http: tuple[str, ...] = ()
    web_ca_file: str | None = None
    web_proxy: str | None = None

    @property
    def is_hub(self) -> bool:
        """Whether the vault is a hub, which keeps no licenses."""
        return self.role == "hub"

    @property
    def sample(self) -> bool:
        """Whether this is an example vault."""
        return not self.production

    def write(self) -> None:
        """Write ``vault.toml`` in one step, readable by the owner alone."""
        path = self.folder / FILE_NAME
        temporary = path.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._toml())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)

    def _toml(self) -> str:
        tables: dict[str, Mapping[str, str | bool | int | list[str] | None]] = {
            "vault": {
                "id": self.vault_id,
                "region": self.region,
                "name": self.name,
                "base_url": self.base_url,
                "suite": self.suite,
                "production": self.production,
                "allow_example": self.allow_example,
            },
            "database": {"url": self.database_url},
            "store": {"url": self.store_url},
            "keys": {
                "uri": self.keys_uri,
                "pin": self.pin_source,
                "softhsm_conf": self.softhsm_conf,
                "sessions": self.key_sessions,
            },
            **{f"keys.mechanisms.{name}": dict(table) for name, table in self.key_mechanisms.items()},
            "limits": {
                "mint_rows": self.mint_rows,
                "mint_columns": self.mint_columns,
                "mint_cell_chars": self.mint_cell_chars,
            },
            "region": {
                "role": self.role,
                "list_hours": self.list_hours,
                "sync_minutes": self.sync_minutes,
                "relay": self.relay,
            },
            "seals": {"four_eyes": self.four_eyes, "structure": self.seal_structure},
            "remote": {
                "enabled": self.remote_signing,
                "daily": self.remote_daily,
                "clients": list(self.remote_clients),
            },
            "status": {"second_approver": self.second_approver},
            "operator": dict(self.operator),
            "recognition": {
                "fetch": self.recognition_fetch,
                "countersigned": self.agreement_countersigned,
                "second_approver": self.agreement_approver,
            },
            "web": {
                "plain_http": list(self.web_plain_http),
                "ca_file": self.web_ca_file,
                "proxy": self.web_proxy,
            },
        }
        lines: list[str] = []
        for table, members in tables.items():
            lines.append(f"[{table}]")
            # JSON's strings, numbers and booleans are TOML's as well; U+007F alone needs no care in our values
            lines += [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in members.items() if v is not None]
            lines.append("")
        return "\n".join(lines)


def read_settings(folder: Path) -> Settings:
    """The settings of the vault in ``folder``; SettingsError when there is none or a member is wrong."""
    path = folder / FILE_NAME
    try:
        value = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"{folder} 中没有保管库：缺少 {FILE_NAME}", f"{folder} holds no vault: there is no {FILE_NAME} in it"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} 无法读取", f"{path} cannot be read: {error}") from error
    return _settings(folder.resolve(), value)


def _settings(folder: Path, value: Mapping[str, Any]) -> Settings:
    def text(table: str, member: str) -> str:
        found = value.get(table, {}).get(member)
        if not isinstance(found, str) or not found:
            raise SettingsError(
                f"{FILE_NAME}：[{table}] {member} 缺失或不是文本",
                f"{FILE_NAME}: [{table}] {member} is missing or is not text",
            )
        return found

    def number(member: str, default: int, table: str = "limits", most: int | None = None) -> int:
        found = value.get(table, {}).get(member, default)
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise SettingsError(
                f"{FILE_NAME}：[{table}] {member} 不是正整数",
                f"{FILE_NAME}: [{table}] {member} is not a positive number",
            )
        if most is not None and found > most:
            raise SettingsError(
                f"{FILE_NAME}：[{table}] {member} 不能超过 {most}",
                f"{FILE_NAME}: [{table}] {member} is more than {most}",
            )
        return found

    suite = text("vault", "suite")
    if suite not in SUITES:
        raise SettingsError(
            f"{FILE_NAME}：[vault] suite 只能是 {'、'.join(SUITES)}",
            f"{FILE_NAME}: [vault] suite {suite} is not one of {', '.join(SUITES)}",
        )
    return Settings(
        folder=folder,
        vault_id=text("vault", "id"),
        region=text("vault", "region"),
        name=text("vault", "name"),
        base_url=text("vault", "base_url"),
        suite=suite,
        production=value["vault"].get("production") is True,
        allow_example=value["vault"].get("allow_example") is True,
        database_url=text("database", "url"),
        store_url=text("store", "url"),
        keys_uri=text("keys", "uri"),
        pin_source=text("keys", "pin"),
        softhsm_conf=value.get("keys", {}).get("softhsm_conf"),
        mint_rows=number("mint_rows", 1_000_000),
        mint_columns=number("mint_columns", 200),
        mint_cell_chars=number("mint_cell_chars", 20_000),
        remote_signing=value.get("remote", {}).get("enabled", True) is True,
        remote_daily=number("daily", REMOTE_DAILY, "remote"),
        remote_clients=_clients(value.get("remote", {}).get("clients", [])),
        key_sessions=number("sessions", KEY_SESSIONS, "keys", MOST_KEY_SESSIONS),
        four_eyes=value.get("seals", {}).get("four_eyes") is True,
        seal_structure=_one_of(value, "seals", "structure", STRUCTURES),
        role=_one_of(value, "region", "role", ROLES),
        key_mechanisms=read_key_mechanisms(value),
        second_approver=value.get("status", {}).get("second_approver") is True,
        operator=_operator(value.get("operator", {})),
        list_hours=number("list_hours", 168, "region", 4320),
        sync_minutes=number("sync_minutes", 15, "region", 10_080),
        relay=value.get("region", {}).get("relay", True) is True,
        recognition_fetch=value.get("recognition", {}).get("fetch", True) is True,
        agreement_countersigned=_strict(value, "countersigned"),
        agreement_approver=_strict(value, "second_approver"),
        web_plain_http=_plain_http(value.get("web", {}).get("plain_http", [])),
        web_ca_file=_optional(value, "ca_file"),
        web_proxy=_proxy(_optional(value, "proxy")),
    )


def read_key_mechanisms(value: Mapping[str, Any]) -> dict[str, dict[str, str | int]]:
    """The tables under ``[keys.mechanisms]``, empty without them. What they say is judged where the token is opened.

    Raises SettingsError for what is no table of texts and numbers.
    """
    found = value.get("keys", {}).get("mechanisms", {})
    for name, table in found.items() if isinstance(found, dict) else [("", found)]:
        plain = isinstance(table, dict) and all(isinstance(v, str | int) for v in table.values())
        if not plain or not _BARE.fullmatch("".join((name, *table))):
            raise SettingsError(
                f"{FILE_NAME}：[keys.mechanisms] 应为按算法分列的表，其值为文本或整数",
                f"{FILE_NAME}: [keys.mechanisms] has a table for each algorithm, with texts and whole numbers",
            )
    return {name: dict(table) for name, table in found.items()}


def _strict(value: Mapping[str, Any], member: str) -> bool:
    """A member of ``[recognition]``; where it is not written, production is strict. SettingsError for no boolean."""
    found = value.get("recognition", {}).get(member, value["vault"].get("production") is True)
    if not isinstance(found, bool):
        raise SettingsError(
            f"{FILE_NAME}：[recognition] {member} 应为 true 或 false",
            f"{FILE_NAME}: [recognition] {member} is neither true nor false",
        )
    return found


def _clients(given: Any) -> tuple[str, ...]:
    """``SHA-256 of a certificate, hex`` ``=`` ``id of a token``; SettingsError for anything else."""
    if not isinstance(given, list) or not all(isinstance(c, str) and _CLIENT.fullmatch(c) for c in given):
        raise SettingsError(
            f"{FILE_NAME}：[remote] clients 须为“证书 SHA-256=令牌标识”的列表",
            f"{FILE_NAME}: [remote] clients is not a list of SHA256-OF-CERTIFICATE=TOKEN-ID",
        )
    return tuple(given)


def _operator(given: Any) -> dict[str, str]:
    """Texts by the names of :data:`OPERATOR`; SettingsError for anything else."""
    found = given if isinstance(given, dict) else {"": ""}
    if not all(k in OPERATOR and isinstance(v, str) and v.isprintable() and len(v) <= 200 for k, v in found.items()):
        raise SettingsError(
            f"{FILE_NAME}：[operator] 只含文本 {'、'.join(OPERATOR)}",
            f"{FILE_NAME}: [operator] has only the texts {', '.join(OPERATOR)}",
        )
    return dict(found)


def _plain_http(given: Any) -> tuple[str, ...]:
    """``host:port`` each; SettingsError for anything else."""
    if not isinstance(given, list) or not all(isinstance(h, str) and _HOST_PORT.fullmatch(h) for h in given):
        raise SettingsError(
            f"{FILE_NAME}：[web] plain_http 须为由 host:port 组成的列表",
            f"{FILE_NAME}: [web] plain_http is not a list of host:port",
        )
    return tuple(given)


def _proxy(given: str | None) -> str | None:
    scheme, _, rest = (given or "http://x:1").partition("://")
    if scheme not in {"http", "https"} or not _HOST_PORT.fullmatch(rest.rstrip("/")):
        raise SettingsError(
            f"{FILE_NAME}：[web] proxy 须写成 http://host:port，不含凭据",
            f"{FILE_NAME}: [web] proxy is written http://host:port, without credentials",
        )
    return given


def _one_of(value: Mapping[str, Any], table: str, member: str, allowed: tuple[str, ...]) -> str:
    """A member that is one of ``allowed``, the first where it is missing; SettingsError."""
    found = value.get(table, {}).get(member, allowed[0])
    if found not in allowed:
        raise SettingsError(
            f"{FILE_NAME}：[{table}] {member} 只能是 {'、'.join(allowed)}",
            f"{FILE_NAME}: [{table}] {member} is not one of {', '.join(allowed)}",
        )
    return str(found)


def _optional(value: Mapping[str, Any], member: str) -> str | None:
    """A member of ``[web]`` that may be absent; SettingsError for one that is no text."""
    found = value.get("web", {}).get(member)
    if found is not None and (not isinstance(found, str) or not found):
        raise SettingsError(f"{FILE_NAME}：[web] {member} 不是文本", f"{FILE_NAME}: [web] {member} is not text")
    return found


def write_pin(folder: Path, pin: str) -> None:
    """Write the PIN file, readable by its owner alone."""
    descriptor = os.open(folder / PIN_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(pin)
        file.flush()
        os.fsync(file.fileno())


def read_pin(folder: Path, source: str) -> str:
    """The PIN from the environment when it is there, else from ``source``; PinError when there is none.

    A PIN file that others may read is refused rather than used.
    """
    given = os.environ.get(PIN_ENVIRONMENT)
    if given:
        return given
    if source == "file":
        return _pin_from_file(folder / PIN_FILE)
    if source == "prompt" and sys.stdin.isatty():
        return getpass.getpass("PIN: ")
    raise PinError(f"no PIN: set {PIN_ENVIRONMENT}" + ("" if source == "env" else " or run on a terminal"))


def _pin_from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise PinError(f"{path.name} may be read by others; make its mode 0600")
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PinError(f"no PIN: {path.name} cannot be read, and {PIN_ENVIRONMENT} is not set") from error
