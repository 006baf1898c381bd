"""Whether a seal may be used, and the refusals when it may not."""

from __future__ import annotations

import datetime

from certvault.errors import ConflictError, conflict
from certvault.model.actor import Actor
from certvault.model.seal import Life, SealState, SealVersion
from certvault.model.sealrules import Asked
from verify.formats.refusal import RefusedError, refuse

_STATES = {SealState.SUSPENDED: "已停用", SealState.RETIRED: "已注销", SealState.DESTROYED: "已销毁"}


def usable(known: Life) -> SealVersion:
    """The edition at work of a seal that may be used now; ConflictError says why it may not."""
    edition, state = known.at_work, known.seal.state
    if state is not SealState.ACTIVE:
        raise conflict(
            "SEAL_SUSPENDED" if state is SealState.SUSPENDED else "SEAL_NOT_ACTIVE",
            "seal",
            f"印章 {known.seal.id} {_STATES.get(state, '尚未启用')}，不能用章",
            f"the seal {known.seal.id} is {state.value} and may not be used",
            remedy_zh="请由保管人恢复使用，或另行启用印章。",
            remedy_en="Let its custodian resume it, or activate another.",
        )
    if edition is None or edition.key_id is None:
        raise no_key(known.seal.id)
    return edition


def asked_by(
    actor: Actor, purpose: str, at: datetime.datetime, *, license_type: str | None = None, region: str | None = None
) -> Asked:
    """What ``actor`` asks of a seal."""
    return Asked(actor.subject, actor.roles, actor.label, purpose, at, license_type, region)


def check_rules(edition: SealVersion, asked: Asked, *, whoever: bool = False) -> None:
    """Raise RefusedError with every rule the use would break; ``whoever``: who uses it is judged later."""
    faults = [f for f in edition.rule.faults(asked) if not (whoever and f.field == "actor")]
    if faults:
        raise RefusedError(faults)


def no_key(seal_id: str) -> ConflictError:
    """The edition at work has no key that may seal."""
    return conflict(
        "SEAL_WITHOUT_KEY",
        "seal",
        f"印章 {seal_id} 的密钥没有有效证书",
        f"the key of the seal {seal_id} has no certificate in force",
        remedy_zh="请更换密钥：certvault key rollover，或变更印章。",
        remedy_en="Roll its key over (certvault key rollover), or change the seal.",
    )


def no_leave(seal_id: str, license_type: str) -> ConflictError:
    """The seal is another organization's, whose rules do not name the type."""
    return conflict(
        "SEAL_RULE",
        "type",
        f"印章 {seal_id} 属于另一机构，其规则未列明类型 {license_type}",
        f"the seal {seal_id} is another organization's, and its rules do not name {license_type}",
        remedy_zh="请由该机构变更印章规则，列明该类型。",
        remedy_en="Let that organization change its seal's rules to name the type.",
    )


def used_already() -> ConflictError:
    """A permit is redeemed once."""
    return permit_refused("PERMIT_USED", "该用章许可已使用", "the permit was redeemed already")


def needs_two() -> ConflictError:
    """Of two approvers one is missing."""
    return conflict(
        "PERMIT_PENDING",
        "permit",
        "该印章的每次使用须两人审批，尚缺一人",
        "each use of this seal needs two approvers, and one is missing",
        remedy_zh="请由另一人审批用章许可后再用章。",
        remedy_en="Let a second person approve the permit first.",
    )


def permit_refused(code: str, zh: str, en: str) -> ConflictError:
    """The permit does not allow this use."""
    return conflict(
        code, "permit", zh, en, remedy_zh="请申请新的用章许可。", remedy_en="Ask for another permit to use the seal."
    )


def wrong(field: str, zh: str, en: str) -> RefusedError:
    """What was asked of a seal cannot be."""
    return refuse("SEAL_OPTION", field, zh, en, remedy_zh="请更正后重试。", remedy_en="Correct it and try again.")
