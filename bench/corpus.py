"""Signed files whose right answer is known, as the shared corpus has them.

A folder holds ``manifest.json``, a list of entries with ``file`` and ``expected`` (genuine, altered, attack, invalid or
malformed), and where they apply ``dimension``, ``disputed``, ``why`` and ``source``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLASSES = ("genuine", "altered", "attack", "invalid", "malformed")
SUITE = "pyHanko's suite"
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Case:
    """One file with the answer its maker states. ``group`` is where it comes from."""

    path: Path
    expected: str
    group: str
    why: str = ""
    trust_only: bool = False
    disputed: bool = False

    def right(self, integrity: str, conclusion: str) -> bool:
        """Whether an answer meets the target. Where only the certificates are wrong, VALID is the miss."""
        if self.expected == "genuine":
            return integrity == "INTACT"
        return conclusion != "VALID" if self.trust_only else integrity != "INTACT"


def shared_corpus() -> Path | None:
    """The shared corpus beside the checkout or where CERTVAULT_SHARED says; None when it is absent."""
    folder = Path(os.environ.get("CERTVAULT_SHARED", ROOT.parent / "shared")) / "corpus"
    return folder if (folder / "manifest.json").is_file() else None


def cases(folder: Path) -> list[Case]:
    """Every entry of a folder's manifest, in its order."""
    return [_case(folder, entry) for entry in json.loads((folder / "manifest.json").read_text("utf-8"))]


def _case(folder: Path, entry: dict[str, object]) -> Case:
    source = str(entry.get("source", ""))
    origin = SUITE if source.partition("@")[0] == "pyHanko" else OTHERS
    return Case(
        folder / str(entry["file"]),
        str(entry["expected"]),
        origin,
        str(entry.get("why") or ""),
        entry.get("dimension") == "trust",
        bool(entry.get("disputed")),
    )


def groups(of: Iterable[Case]) -> list[str]:
    """The groups in the order in which they first appear."""
    return list(dict.fromkeys(case.group for case in of))
