"""What a seal may be used for: by whom, for which license types, regions and purposes, how often, until when."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass

from verify.formats.refusal import Refusal, Text

LICENSE = "license"
"""The purpose under which the vault's own licenses are sealed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One use that is asked for. ``label`` is that of the caller's token; type and region are None outside licenses."""

    subject: str
    roles: frozenset[str]
    label: str
    purpose: str
    at: datetime.datetime
    license_type: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class SealRules:
    """The rules of one seal; None means no limit.

    ``actors`` are subjects (``token:…``), roles (``role:issuer``) or labels of tokens (``label:…``); ``types`` limit
    licenses alone; ``regions`` are beginnings of GB/T 2260 codes; ``max_uses`` counts from the day the seal first had
    a limit; ``approvers`` (1 or 2) is how many people give leave to each use.
    """

    actors: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    max_uses: int | None = None
    until: datetime.datetime | None = None
    approvers: int = 1

    def to_text(self) -> str:
        """JSON, the members that limit something."""
        value: dict[str, object] = {
            "actors": self.actors,
            "types": self.types,
            "regions": self.regions,
            "purposes": self.purposes,
            "max_uses": self.max_uses,
            "until": None if self.until is None else self.until.astimezone(datetime.UTC).isoformat(),
            "approvers": self.approvers,
        }
        return json.dumps({k: v for k, v in value.items() if v is not None}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> SealRules:
        """The inverse of :meth:`to_text`."""
        value = json.loads(text)

        def listed(name: str) -> tuple[str, ...] | None:
            return None if name not in value else tuple(value[name])

        until = value.get("until")
        return cls(
            listed("actors"),
            listed("types"),
            listed("regions"),
            listed("purposes"),
            value.get("max_uses"),
            None if until is None else datetime.datetime.fromisoformat(until),
            value.get("approvers", 1),
        )

    def faults(self, asked: Asked) -> list[Refusal]:
        """Every rule that the use would break; empty when it may be."""
        found: list[Refusal] = []
        if self.actors is not None and not _names(self.actors, asked):
            found.append(_broken("actor", f"{asked.subject} 不在该印章的用章人之列", f"{asked.subject} may not use it"))
        if self.purposes is not None and asked.purpose not in self.purposes:
            found.append(_broken("purpose", f"不得用于 {asked.purpose}", f"it is not for {asked.purpose}"))
        if asked.license_type is not None and self.types is not None and asked.license_type not in self.types:
            found.append(_broken("type", f"不得用于证照类型 {asked.license_type}", f"it seals no {asked.license_type}"))
        if asked.region is not None and self.regions is not None and not asked.region.startswith(self.regions):
            found.append(_broken("region", f"不得用于地区 {asked.region}", f"it is not for the region {asked.region}"))
        if self.until is not None and asked.at >= self.until:
            found.append(
                _broken("until", f"用章期限 {self.until:%Y-%m-%d} 已过", f"its use ended {self.until:%Y-%m-%d}")
            )
        return found

    def over(self, taken: int) -> Refusal | None:
        """The refusal when ``taken`` uses, this one counted in, are more than there may be."""
        if self.max_uses is None or taken <= self.max_uses:
            return None
        return _broken("max_uses", f"用章次数已达上限 {self.max_uses}", f"its {self.max_uses} uses are used up")


def _names(actors: Iterable[str], asked: Asked) -> bool:
    mine = {asked.subject, *(f"role:{r}" for r in asked.roles)}
    if asked.label:
        mine.add(f"label:{asked.label}")
    return not mine.isdisjoint(actors)


def _broken(field: str, zh: str, en: str) -> Refusal:
    return Refusal(
        "SEAL_RULE",
        field,
        Text(f"印章使用规则：{zh}", f"the seal's rules: {en}"),
        Text("请使用适合的印章，或变更该印章的规则。", "Use another seal, or change the rules of this one."),
    )
