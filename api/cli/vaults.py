"""``init``, ``doctor``, ``backup``, ``restore``: a vault as a whole."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli import output
from api.cli.options import JsonOption, LangOption, VaultOption, given


def register(app: typer.Typer) -> None:
    """Hang the commands on ``app``."""
    for command in (init, doctor, backup, restore):
        app.command()(command)


def init(
    *,
    region: Annotated[
        str | None, typer.Option(metavar="CODE", help="Region, GB/T 2260 [410200]", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the vault", show_default=False)] = None,
    issuer_name: Annotated[str | None, typer.Option(help="Name of the first issuer", show_default=False)] = None,
    issuer_code: Annotated[
        str | None, typer.Option(metavar="USCC", help="Its unified social credit code", show_default=False)
    ] = None,
    url: Annotated[
        str, typer.Option(metavar="BASE", help="Public address, in codes and certificates; the shorter the better")
    ] = "http://127.0.0.1:8000",
    keys: Annotated[
        str | None, typer.Option(metavar="pkcs11|file", help="Where keys live [SoftHSM if there]", show_default=False)
    ] = None,
    mechanisms: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml", help="[keys.mechanisms] of a token pkcs11:…, for SM2", exists=True, show_default=False
        ),
    ] = None,
    suite: Annotated[str, typer.Option(metavar="p256|rsa3072|sm2", help="Algorithms of keys")] = "p256",
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Database [SQLite in the folder]", show_default=False)
    ] = None,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="Document store [a folder in the vault]", show_default=False)
    ] = None,
    production: Annotated[
        bool, typer.Option("--production", help="Real documents: no SAMPLE mark, authority must be the issuer")
    ] = False,
    hub: Annotated[
        bool, typer.Option("--hub", help="A hub: admits regions, keeps no licenses [region 100000]")
    ] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make an embedded vault: database, CA, timestamp authority, first issuer with its seal, license types."""
    invocation = given(vault, as_json, lang)
    from certvault.bootstrap import InitOptions, create_vault
    from verify.formats.refusal import refuse

    if issuer_name is None and issuer_code is not None:
        issuer_name = name
    if production and not hub and (issuer_name is None or issuer_code is None):
        raise refuse(
            "ISSUER_REQUIRED",
            "--issuer-code",
            "正式库须指明颁发机构及其统一社会信用代码。",
            "A vault for real documents needs its issuer's name and unified social credit code.",
            remedy_zh="请加上 --issuer-name 和 --issuer-code。",
            remedy_en="Add --issuer-name and --issuer-code.",
        )
    if hub and name is None:
        name = "国家电子证照枢纽（示例）"
    chosen: dict[str, Any] = {"name": name, "issuer_name": issuer_name, "issuer_code": issuer_code}
    options = InitOptions(
        folder=invocation.folder,
        region=region or ("100000" if hub else InitOptions.region),
        hub=hub,
        base_url=url.rstrip("/"),
        keys=keys,
        suite=suite,
        database_url=database,
        store_url=store,
        production=production,
        key_mechanisms=_mechanisms(mechanisms),
        **{k: v for k, v in chosen.items() if v is not None},
    )
    with create_vault(options) as made:
        settings = made.settings
        types = sorted({t.name for t in made.catalog.list()})
        value = {
            "vault": str(invocation.folder),
            "region": settings.region,
            "role": settings.role,
            "name": settings.name,
            "url": settings.base_url,
            "suite": settings.suite,
            "keys": settings.keys_uri.partition(":")[0],
            "production": settings.production,
            "types": types,
        }
    output.facts(invocation, value, "已建立保管库" if invocation.zh else "vault made:")


def _mechanisms(file: Path | None) -> dict[str, dict[str, str | int]]:
    """The tables of a file, which stand in it as in ``vault.toml``."""
    if file is None:
        return {}
    from certvault.settings import read_key_mechanisms
    from verify.formats.refusal import refuse

    try:
        return read_key_mechanisms(tomllib.loads(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise refuse(
            "OPTION",
            "mechanisms",
            f"机制文件无法读取：{error}",
            f"the file of mechanisms cannot be read: {error}",
            remedy_zh="请给出含 [keys.mechanisms.SM2_SM3] 的 TOML 文件。",
            remedy_en="Give a TOML file with [keys.mechanisms.SM2_SM3].",
        ) from error


def doctor(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Check the vault: keys, database, documents, numbers, audit chain. Exit 1 when something is wrong."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened:
        report = opened.doctor()
    output.show(
        invocation,
        {
            "clean": report.clean,
            "problems": list(report.problems),
            "checks": [{"check": name, "outcome": outcome} for name, outcome in report.checks],
        },
        [*(f"{name:<14}{outcome}" for name, outcome in report.checks), *(f"!! {p}" for p in report.problems)],
    )
    raise typer.Exit(0 if report.clean else 1)


def backup(
    *,
    file: Annotated[Path, typer.Argument(help="The backup to write; encrypted")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there")] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write an encrypted backup of the vault."""
    invocation = given(vault, as_json, lang)
    output.check_new(file, force=force)
    with invocation.open_vault() as opened:
        opened.backup(file)
    size = file.stat().st_size
    output.show(invocation, {"file": str(file), "bytes": size}, [f"{file} ({size} bytes)"])


def restore(
    *,
    file: Annotated[Path, typer.Argument(help="A backup")],
    pin_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PIN of the vault it was taken from [env CERTVAULT_PIN]", show_default=False),
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="An empty database to use [SQLite]", show_default=False)
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make a vault in an empty folder from a backup."""
    invocation = given(vault, as_json, lang)
    from certvault.bootstrap import restore_backup

    pin = pin_file.read_text("utf-8").strip() if pin_file else None
    restore_backup(file, invocation.folder, pin=pin, database_url=database)
    done = "已恢复到" if invocation.zh else "restored to"
    output.show(invocation, {"vault": str(invocation.folder)}, [f"{done} {invocation.folder}"])
