"""Who may issue what, where: the issuer's remit, the type's own list, and the authority printed on the face."""

from __future__ import annotations

from certvault.db.unit_of_work import Database, View
from certvault.errors import conflict, forbidden
from certvault.model.actor import Actor, Role
from certvault.model.keys import Issuer
from templates.registry import LicenseType
from templates.schema import CheckedData
from verify.formats.refusal import Refusal, RefusedError, Text


def issuer_for(database: Database, actor: Actor) -> Issuer:
    """The issuer in whose name ``actor`` works: the one it names, else the vault's only one.

    ConflictError: ISSUER_UNKNOWN when the named one is not here, ISSUER_AMBIGUOUS when there are several.
    """
    if not actor.has(Role.ISSUER):
        raise forbidden(Role.ISSUER)
    with database.reading() as view:
        return issuer_named(view, None, actor)


def issuer_named(view: View, code: str | None, actor: Actor) -> Issuer:
    """The issuer of that code, or the only one that ``actor`` may work for. Raises as :func:`issuer_for`."""
    issuers = [i for i in view.issuers.all() if actor.issuer_code in (None, i.code) and code in (None, i.code)]
    if not issuers:
        raise conflict(
            "ISSUER_UNKNOWN",
            "issuer",
            "没有该代码的颁发机构",
            "there is no issuer with this code",
            remedy_zh="请核对代码，见 certvault issuer list。",
            remedy_en="Check the code with certvault issuer list.",
        )
    if len(issuers) != 1:
        raise conflict(
            "ISSUER_AMBIGUOUS",
            "issuer",
            "有多个颁发机构，未指明以哪一个的名义办理",
            "there are several issuers, and none is named",
            remedy_zh="请加上 --issuer，或使用绑定颁发机构的令牌。",
            remedy_en="Add --issuer, or use a token bound to one issuer.",
        )
    return issuers[0]


def check_remit(issuer: Issuer, license_type: LicenseType, checked: CheckedData, *, production: bool) -> None:
    """Raise RefusedError when the issuer may not issue this license.

    In an example vault the printed authority is data; elsewhere it must be the issuer.
    """
    faults: list[Refusal] = []
    listed = license_type.issuers.codes
    if (listed and issuer.code not in listed) or not issuer.may_issue(license_type.name):
        faults.append(_outside("type", f"类型 {license_type.name}", f"the type {license_type.name}"))
    if not issuer.may_issue_for(checked.region):
        field = license_type.record.region
        faults.append(_outside(field, f"地区 {checked.region}", f"the region {checked.region}"))
    if production and checked.authority != issuer.name:
        faults.append(
            Refusal(
                "AUTHORITY_MISMATCH",
                license_type.record.authority,
                Text(f"照面机关不是颁发机构 {issuer.name}", f"the authority printed is not the issuer {issuer.name}"),
                Text("请由该机关自己的印章颁发。", "Let that authority issue it under its own seal."),
            )
        )
    if faults:
        raise RefusedError(faults)


def _outside(field: str, zh: str, en: str) -> Refusal:
    return Refusal(
        "OUTSIDE_REMIT",
        field,
        Text(f"{zh}不在颁发机构的权限内", f"{en} is outside the issuer's remit"),
        Text("请由有权限的机构颁发。", "Let an issuer whose remit covers it issue it."),
    )
