"""Where other judges and we differ about the same files, by class: ``python -m tests.interop.disagreements`` writes
``docs/disagreements.md``.

A class is a peer, what it says, what we say, and who is right by the maker's statement about the file (the corpus'
label, or what the forger did). Each class has its reasoning in ``disagreements.json``, whatever finding led us to our
answer; one without is a fault.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.corpus import ROOT, cases, shared_corpus
from tests.support import peers
from tests.support.peers import Answer

DOCUMENT = ROOT / "docs" / "disagreements.md"
REASONS = Path(__file__).with_name("disagreements.json")
SHOWN = {"dss": "EU DSS 6.4", "pyhanko": "pyHanko 0.38", "pdfsig": "poppler pdfsig", "qpdf": "qpdf"}
MOST = 8
"""Files of each of the forger's families that all are asked about; EU DSS takes a fifth of a second for one."""
_STRUCTURE = ("PDF_BROKEN", "NOT_READABLE", "LIMIT_EXCEEDED")


@dataclass(frozen=True)
class Labelled:
    """A file, its name in the table, and whether its maker says that it is intact (None where that is disputed)."""

    path: Path
    name: str
    intact: bool | None


class Kind(NamedTuple):
    """One class of disagreement. ``right`` is ``we``, ``they`` or ``disputed``."""

    peer: str
    they: str
    we: str
    right: str

    def key(self) -> str:
        """What the reasoning is found by."""
        return " | ".join((self.peer, self.they, self.we.partition(" ")[0], self.right))


def from_corpus() -> list[Labelled]:
    """The shared corpus; a file of which only the certificates are wrong is intact."""
    folder = shared_corpus()
    if folder is None:
        return []
    return [
        Labelled(c.path, c.path.stem, None if c.disputed else c.expected == "genuine" or c.trust_only)
        for c in cases(folder)
    ]


def from_forger(folder: Path, most: int = MOST) -> list[Labelled]:
    """What our forger writes, named by family: at most so many files of each, spread over its variants."""
    from tests.support.forger import Expected, Forgery, forgeries

    families: dict[str, list[Forgery]] = defaultdict(list)
    for one in forgeries():
        families[one.family].append(one)
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for family in families.values():
        for one in family[:: max(1, -(-len(family) // most))]:
            path = folder / f"{one.name}.pdf"
            path.write_bytes(one.make())
            open_to_both = one.expected is Expected.NOT_VALID
            found.append(Labelled(path, one.family, None if open_to_both else one.expected is not Expected.NOT_INTACT))
    return found


def disagreements(files: Sequence[Labelled], asked: Iterable[str]) -> dict[Kind, list[str]]:
    """Ask the peers about the files; every disagreement by class, with the names of the files."""
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)
    one_by_one: dict[str, Callable[[Path], Answer]] = {
        "pyhanko": peers.pyhanko,
        "pdfsig": peers.pdfsig,
        "qpdf": peers.qpdf,
    }
    mine = {file.path: peers.ours(file.path) for file in files}
    found: dict[Kind, list[str]] = defaultdict(list)
    for peer in asked:
        if peer == "dss":
            theirs = peers.dss([file.path for file in files])
        else:
            theirs = {file.path: one_by_one[peer](file.path) for file in files}
        for file in files:
            we, they = mine[file.path], theirs[file.path]
            if _differ(peer, they, we):
                found[Kind(peer, they.because, we.because, _right(file, we))].append(file.name)
    return dict(found)


def _differ(peer: str, they: Answer, we: Answer) -> bool:
    if peer != "qpdf":
        return they.accepted != we.accepted
    # it reads no signatures: a sound file may well be altered
    return we.accepted if not they.accepted else we.because.endswith(_STRUCTURE)


def _right(file: Labelled, we: Answer) -> str:
    if file.intact is None:
        return "disputed"
    return "we" if we.accepted == file.intact else "they"


def reasons() -> dict[str, str]:
    """Why, for each class."""
    found: dict[str, str] = json.loads(REASONS.read_text("utf-8")) if REASONS.exists() else {}
    return found


def unexplained(found: Iterable[Kind]) -> list[str]:
    """Classes that nobody has given a reason."""
    known = reasons()
    return [kind.key() for kind in found if not known.get(kind.key())]


def markdown(parts: dict[str, tuple[int, dict[Kind, list[str]]]]) -> str:
    """The document: for each set of files and each peer a table by class."""
    known = reasons()
    lines = [_HEAD]
    for title, (count, found) in parts.items():
        lines.append(f"## {title}: {count} files\n")
        for peer, shown in SHOWN.items():
            rows = sorted((k, names) for k, names in found.items() if k.peer == peer)
            if not rows:
                lines.append(f"**{shown}**: no disagreement.\n")
                continue
            lines.append(f"**{shown}**: {sum(len(names) for _, names in rows)} disagreements in {len(rows)} classes.\n")
            lines.append("| it says | we say | files | right | why |\n|---|---|---|---|---|")
            lines += [
                f"| {kind.they} | {kind.we} | {_names(names)} | {_WHO[kind.right]} | {known.get(kind.key(), '')} |"
                for kind, names in rows
            ]
            lines.append("")
    return "\n".join(lines)


_WHO = {"we": "we", "they": "**the other**", "disputed": "disputed"}
_HEAD = """# Where other judges disagree

Written by `python -m tests.interop.disagreements`; `make acceptance` holds it to the truth, and `make test` looks at a
sample. Judged is integrity alone: no anchors, no network. *Accepts* means for EU DSS that no signature is TOTAL_FAILED
and all are intact (what it only warns of counts as accepted, with the warning named), for pyHanko that all are intact
and the changes permitted, for pdfsig that all are valid and one covers the whole file, as it compares no revisions.
qpdf judges structure alone. Who is right follows from what the maker of the file states, never from the tools; files
with a disputed label are marked so. The reasoning is one for each class.
"""


def _names(names: Sequence[str]) -> str:
    counted: dict[str, int] = defaultdict(int)
    for name in names:
        counted[name] += 1
    return f"{len(names)}: " + ", ".join(n if times == 1 else f"{n} ({times})" for n, times in counted.items())


def whole(folder: Path) -> dict[str, tuple[int, dict[Kind, list[str]]]]:
    """Every file to every peer. Takes minutes."""
    parts = {}
    for title, files in (
        ("The shared corpus", from_corpus()),
        (f"Our own forger, at most {MOST} of each family", from_forger(folder)),
    ):
        parts[title] = len(files), disagreements(files, SHOWN)
    return parts


def main() -> None:
    """Ask everybody about everything and write the document."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        parts = whole(Path(folder))
    DOCUMENT.write_text(markdown(parts), encoding="utf-8")
    for _, found in parts.values():
        for key in unexplained(found):
            print(f"no reason given: {key}")


if __name__ == "__main__":
    main()
