"""How a new vault is to be, and whether it can be so."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from certvault.settings import SUITES
from signing.formats.qr import MAX_URL, longest_base_url
from templates.registry import LicenseType, shipped_types
from verify.formats.codes import uscc_fault
from verify.formats.refusal import RefusedError, refuse

DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
STORES = ("folder:", "s3://")


@dataclass(frozen=True)
class InitOptions:
    """How a new vault is to be. ``keys`` None: a SoftHSM token when the module is there and knows the suite, else
    encrypted key files. SoftHSM knows no SM2.

    ``database_url`` and ``store_url`` default to SQLite and a folder inside the vault's own folder. ``production``
    takes the words 样本 SAMPLE off the documents and holds the issuer to its own name on the face. ``hub``: it admits
    regions and keeps no licenses, issuers or types; its region is one that has others inside. ``key_mechanisms``
    are the tables of ``[keys.mechanisms]``, without which no token keeps keys of the suite ``sm2``.
    """

    folder: Path
    region: str = "410200"
    name: str = "示例市证照库"
    issuer_name: str = "示例市行政审批局"
    issuer_code: str = "11410200MB0A00018X"
    base_url: str = "http://127.0.0.1:8000"
    keys: str | None = None
    suite: str = "p256"
    database_url: str | None = None
    store_url: str | None = None
    production: bool = False
    hub: bool = False
    pin: str | None = None
    key_mechanisms: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)


def check_options(options: InitOptions) -> None:
    """Raise RefusedError for the first option that cannot be."""
    if options.suite not in SUITES:
        raise _option(
            "suite",
            f"密码套件 {options.suite} 尚不可用",
            f"the suite {options.suite} is not offered",
            "、".join(SUITES),
        )
    if options.suite == "sm2" and options.keys == "pkcs11":
        raise _option(
            "keys",
            "随附的 SoftHSM 没有 SM2 机制",
            "SoftHSM, which keeps the keys of an embedded token, has no SM2",
            "file、pkcs11:…",
        )
    on_token = (options.keys or "").startswith("pkcs11:")
    if options.suite == "sm2" and on_token and "SM2_SM3" not in options.key_mechanisms:
        raise _option(
            "mechanisms",
            "密码机的 SM2 机制编号因厂商而异，须以 [keys.mechanisms.SM2_SM3] 给出",
            "vendors number SM2's mechanisms differently; [keys.mechanisms.SM2_SM3] must name those of the token",
            "--mechanisms FILE.toml",
        )
    if options.key_mechanisms and not on_token:
        raise _option(
            "mechanisms",
            "只有 PKCS#11 密码机才用机制编号",
            "mechanisms are mapped for a token of pkcs11: alone",
            "--keys pkcs11:…",
        )
    if uscc_fault(options.issuer_code) is not None:
        raise _option(
            "issuer_code",
            "颁发机构代码不是正确的统一社会信用代码",
            "the issuer's code is no unified social credit code",
            "18",
        )
    if len(options.region) != 6 or not options.region.isdigit():
        raise _option("region", "行政区划代码须为 6 位数字", "a region code has 6 digits", "GB/T 2260")
    if options.hub and not options.region.endswith("00"):
        raise _option(
            "region",
            "枢纽的行政区划须有下辖区域",
            "a hub is of a region that has others inside",
            "100000、410000、410200",
        )
    _check_base_url(options.base_url)
    _check_places(options)
    for member in ("name", "issuer_name"):
        given = getattr(options, member)
        if not 0 < len(given.strip()) <= 40 or not given.isprintable():
            raise _option(member, "名称为空、过长或含控制字符", "the name is empty, too long or not printable", "1–40")


@functools.cache
def longest_address() -> int:
    """The most characters a vault's public address may have, so that the code of every shipped type fits its URL."""
    return min(longest_base_url(t.name, _widest(t), len(t.record.holders)) for t in shipped_types())


def _widest(license_type: LicenseType) -> str:
    """A number as long as any of the type."""
    rule = license_type.number
    return rule.widest() if rule.rule == "sequence" else "8" * license_type.fields[rule.field].longest


def _check_base_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        whole = False
    if not whole or not url.isascii() or not url.isprintable() or " " in url:
        raise _option(
            "base_url",
            "公共地址须为完整的网址，不带查询和片段",
            "the public address must be a whole URL without query or fragment",
            "http://…、https://…",
        )
    most = longest_address()
    if len(url) > most:
        raise _option(
            "base_url",
            f"公共地址有 {len(url)} 个字符，最多 {most} 个：它在二维码的网址中出现两次，而该网址最多 {MAX_URL} 个字符",
            f"the public address has {len(url)} characters; {most} are the most: it stands twice in the URL of a "
            f"license's code, which may have {MAX_URL}",
            f"1–{most}",
        )


def _check_places(options: InitOptions) -> None:
    """Database and store by kind; whether they answer is seen when they are opened."""
    if options.database_url is not None and not options.database_url.startswith(DATABASES):
        kind = options.database_url.partition(":")[0]
        raise _option(
            "database_url",
            f"不支持 {kind} 数据库",
            f"databases of the kind {kind} are not supported",
            "、".join(f"{d}…" for d in DATABASES),
        )
    if options.store_url is not None and not options.store_url.startswith(STORES):
        kind = options.store_url.partition(":")[0]
        raise _option(
            "store_url",
            f"不支持 {kind} 文件存储",
            f"stores of the kind {kind} are not supported",
            "、".join(f"{s}…" for s in STORES),
        )


def _option(field: str, zh: str, en: str, allowed: str) -> RefusedError:
    return refuse(
        "OPTION", field, zh, en, remedy_zh=f"可用：{allowed}", remedy_en=f"Allowed: {allowed.replace('、', ', ')}"
    )
