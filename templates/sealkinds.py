"""Kinds of seals and sizes by rank, as tables.

Diameters by rank: 国发〔1999〕25号 (the State Council on seals of organs, social bodies, enterprises and institutions).
Numbers of kinds: C0119 of the national e-seal platform. Company sizes are practice under local police rules; measures
of the invoice seal are those of the tax administration's announcement of 2011 no. 7.
"""

from __future__ import annotations

from dataclasses import dataclass

from verify.formats.refusal import Text, refuse


@dataclass(frozen=True, slots=True)
class SealKind:
    """One kind of seal.

    ``number`` is its C0119 code; ``purpose`` stands under the star or emblem, and may be replaced where
    ``own_purpose``; ``shapes`` has the usual size in mm of each shape, the first is the default one; ``least`` and
    ``most`` bound the size in mm (of an oval seal, which has one size: what may be stated).
    """

    title: Text
    number: int
    purpose: str
    shapes: dict[str, float]
    least: float
    most: float
    own_purpose: bool = False


SEAL_KINDS: dict[str, SealKind] = {
    "official": SealKind(Text("法定名称章", "official seal"), 1, "", {"round": 40.0}, 15.0, 60.0),
    "finance": SealKind(
        Text("财务专用章", "finance seal"), 2, "财务专用章", {"round": 38.0, "square": 25.0}, 15.0, 60.0
    ),
    "contract": SealKind(Text("合同专用章", "contract seal"), 4, "合同专用章", {"round": 40.0}, 15.0, 60.0),
    "invoice": SealKind(Text("发票专用章", "invoice seal"), 3, "发票专用章", {"oval": 40.0}, 15.0, 60.0),
    "legal-representative": SealKind(
        Text("法定代表人名章", "legal representative's seal"), 5, "", {"square": 20.0}, 18.0, 25.0
    ),
    "business": SealKind(
        Text("业务专用章", "business seal"), 6, "业务专用章", {"round": 40.0}, 15.0, 60.0, own_purpose=True
    ),
}
"""By the name that settings, commands and records use."""


@dataclass(frozen=True, slots=True)
class Rank:
    """Who holds a round official seal, its diameter in mm, and whether the national emblem stands in its middle."""

    holder: Text
    diameter_mm: float
    emblem: bool


RANKS: dict[str, Rank] = {
    "state-council": Rank(Text("国务院", "State Council"), 60.0, True),
    "province": Rank(Text("省、自治区、直辖市人民政府", "provincial government"), 50.0, True),
    "ministry": Rank(Text("国务院组成部门、国务院办公厅", "ministry, General Office"), 50.0, True),
    "vice-ministry": Rank(Text("副部级直属机构", "organ of vice-ministry rank"), 45.0, True),
    "national-bureau": Rank(Text("部委管理的国家局", "national bureau run by a ministry"), 45.0, True),
    "prefecture": Rank(Text("地级市、自治州、盟人民政府", "prefecture government"), 45.0, True),
    "county": Rank(Text("县、区、旗人民政府", "county or district government"), 45.0, True),
    "township": Rank(Text("乡、镇人民政府", "township government"), 42.0, False),
    "foreign-affairs": Rank(Text("驻外机构、外事司局", "foreign-affairs bureau of a ministry"), 42.0, True),
    "internal": Rank(Text("机关内设机构", "internal body of an organ"), 45.0, False),
    "company": Rank(Text("企业", "enterprise"), 40.0, False),
    "state-company": Rank(Text("国有、股份制企业", "state-owned or joint-stock company"), 42.0, False),
    "sole-trader": Rank(Text("个体工商户", "sole trader"), 38.0, False),
    "institution": Rank(Text("事业单位、社会团体", "institution, social body"), 42.0, False),
}
"""Diameters of 国发〔1999〕25号; for internal bodies, enterprises, institutions and social bodies 45 mm is the most,
and what stands here is the usual size. The emblem is never drawn by this program: its picture must be uploaded, else a
star stands there."""


def rank_named(name: str) -> Rank:
    """The rank of that name. Refused: BAD_SEAL_RANK."""
    if name not in RANKS:
        raise refuse(
            "BAD_SEAL_RANK",
            "seal.rank",
            f"没有级别 {name[:40]}",
            f"there is no rank {name[:40]}",
            remedy_zh=f"可取：{'、'.join(RANKS)}",
            remedy_en=f"use one of {', '.join(RANKS)}",
        )
    return RANKS[name]
