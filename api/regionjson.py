"""Regions as the command line and HTTP show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from api.schemas import utc
from verify.messages import meaning_of

if TYPE_CHECKING:
    import datetime

    from certvault.hubs import HubInfo, SeenInfo
    from certvault.regions import RegionInfo
    from certvault.relaysync import NoticeInfo, Relayed


_SHOWN = 5
_NOTICES = {"KEY_COMPROMISED": ("密钥已泄露", "KEY_COMPROMISED: a key was compromised")}


def region_json(region: RegionInfo) -> dict[str, Any]:
    """One adopted region. ``age`` is in seconds since its list was last seen to be the newest."""
    return {
        "region": region.region,
        "name": region.name,
        "sequence": region.sequence,
        "anchor": region.anchor,
        "issued": _moment(region.issued),
        "next_update": _moment(region.next_update),
        "confirmed": _moment(region.confirmed),
        "age": None if region.age is None else int(region.age.total_seconds()),
        "stale": region.stale,
        "faults": list(region.faults),
        "address": region.address,
        "outcome": region.outcome,
        "failures": region.failures,
        "retry_at": _moment(region.retry_at),
        "issuers": region.issuers,
        "types": region.types,
    }


def said(region: RegionInfo, lang: str) -> list[str]:
    """One adopted region for a person: a line, and one more for each thing that stands against it."""
    zh = lang == "zh"
    parts = [f"{region.region} {region.name}"]
    if region.next_update is None:
        parts.append("尚无信任列表" if zh else "no trust list yet")
    else:
        until = region.next_update.strftime("%Y-%m-%d %H:%MZ")
        parts.append(f"第 {region.sequence} 号" if zh else f"number {region.sequence}")
        parts.append(f"{_age(region.age, lang)}前确认" if zh else f"confirmed {_age(region.age, lang)} ago")
        late = ("（已过期）" if zh else " (over)") if region.stale else ""
        parts.append(f"下次更新 {until}{late}" if zh else f"next update {until}{late}")
        parts.append(f"颁发机构 {region.issuers}" if zh else f"{region.issuers} issuers")
    told = ["，".join(parts) if zh else ", ".join(parts)]
    for code in dict.fromkeys((*region.faults, *filter(None, (region.outcome,)))):
        told.append(f"  ! {code}  {in_words(code, lang)}")
    return told


def hub_json(hub: HubInfo) -> dict[str, Any]:
    """One hub that is followed."""
    return {
        "hub": hub.hub,
        "name": hub.name,
        "sequence": hub.sequence,
        "next_update": _moment(hub.next_update),
        "confirmed": _moment(hub.confirmed),
        "stale": hub.stale,
        "faults": list(hub.faults),
        "address": hub.address,
        "above": hub.above or None,
        "depth": hub.depth,
        "outcome": hub.outcome,
        "failures": hub.failures,
        "retry_at": _moment(hub.retry_at),
        "regions": list(hub.regions),
    }


def seen_json(seen: SeenInfo) -> dict[str, Any]:
    """Two lists of one region under one number: the evidence that is kept."""
    lists = [{"sha256": content, "source": source, "seen_at": utc(at)} for content, source, at in seen.contents]
    return {"region": seen.region, "sequence": seen.sequence, "lists": lists}


def said_of_hub(hub: HubInfo, lang: str) -> list[str]:
    """One hub for a person."""
    zh = lang == "zh"
    count = len(hub.regions)
    number = f"总清单第 {hub.sequence} 号，区域 {count}" if zh else f"list of lists {hub.sequence}, {count} regions"
    told = [f"{hub.hub} {hub.name}" + ("，" if zh else ", ") + number]
    for code in dict.fromkeys((*hub.faults, *filter(None, (hub.outcome,)))):
        told.append(f"  ! {code}  {in_words(code, lang)}")
    return told


def notice_json(notice: NoticeInfo) -> dict[str, Any]:
    """A notice of another region, and the signed document itself (JWS)."""
    return {
        "region": notice.region,
        "number": notice.number,
        "kind": notice.kind,
        "at": utc(notice.made),
        "certificate_sha256": notice.key or None,
        "received_at": utc(notice.received),
        "notice": notice.token,
    }


def said_of_notices(notices: Sequence[NoticeInfo], lang: str) -> list[str]:
    """Notices of one region for a person, the latest few."""
    zh = lang == "zh"
    told = []
    for one in notices[:_SHOWN]:
        words = _NOTICES.get(one.kind, (one.kind, one.kind))[0 if zh else 1]
        kind = "".join(c if c.isprintable() else "?" for c in words)
        key = f"{'证书' if zh else 'certificate'} SHA-256 {one.key}" if one.key else ""
        told.append("  ! " + "  ".join(filter(None, (f"#{one.number}", f"{one.made:%Y-%m-%d %H:%MZ}", kind, key))))
    if len(notices) > _SHOWN:
        more = len(notices) - _SHOWN
        told.append(f"  另有通知 {more} 件（--json）" if zh else f"  {more} more notices (--json)")
    return told


def said_of_relayed(relayed: Relayed, lang: str) -> list[str]:
    """What came beside the lists, where something did."""
    counts = (relayed.notices, relayed.countersigned, relayed.proposed, relayed.handed)
    if lang == "zh":
        names = ("新通知", "对方已会签的协议", "待我方会签的协议", "交给枢纽的协议")
    else:
        names = ("new notices", "agreements countersigned by others", "agreements that wait for us", "handed to hubs")
    return [f"{name}: {count}" for name, count in zip(names, counts, strict=True) if count]


def in_words(code: str, lang: str) -> str:
    """What a code means, of whichever family it is; a reason that is not at hand is left out with what leads to it."""
    from certvault.hubrefusals import REASONS, told
    from verify.findings import CATALOG

    if code in REASONS:
        return told(code).in_language(lang)
    return meaning_of(code, lang).replace("：…", "").replace(": …", "") if code in CATALOG else code


def _age(age: datetime.timedelta | None, lang: str) -> str:
    seconds = 0 if age is None else max(0, int(age.total_seconds()))
    steps = ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min"), (1, "秒", "s"))
    for size, zh, en in steps:
        if seconds >= size or size == 1:
            return f"{seconds // size} {zh if lang == 'zh' else en}"
    return ""


def _moment(at: datetime.datetime | None) -> str | None:
    return None if at is None else utc(at)
