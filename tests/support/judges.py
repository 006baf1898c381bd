"""The Java judges: built once by Maven outside the tree, then asked about many files in one start of the JVM."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "interop" / "judges"
SEALS = SOURCE / "ofdrw"
"""A project of its own, since ofdrw needs an older BouncyCastle than the others."""
_JAVA = ("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8")
_ORDERED = ("-XX:+UnlockExperimentalVMOptions", "-XX:hashCode=2")
"""Sets of objects keep their order: whether DSS names a fault or throws depends on which certificate it tries first."""


class JudgesMissingError(Exception):
    """Java, Maven or the artifacts are not there; the message says which."""


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time, so that parallel workers build once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fingerprint(project: Path) -> str:
    files = [project / "pom.xml", *sorted((project / "src").rglob("*.java"))]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]


@functools.cache
def build(project: Path = SOURCE) -> Path:
    """The folder that holds ``classes`` and ``lib``. Raises JudgesMissingError, at once when a build failed before."""
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            raise JudgesMissingError(f"no {program} on this machine")
    home = Path(os.environ.get("CERTVAULT_JUDGES", ROOT / ".cache" / "judges"))
    with _alone(home):
        target = home / _fingerprint(project)
        if (target / "ready").exists():
            return target
        shutil.rmtree(target, ignore_errors=True)
        made = subprocess.run(
            ["mvn", "-q", "-B", "-f", project / "pom.xml", f"-Djudges.build={target}", "compiler:compile",
             "dependency:copy-dependencies"],
            capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        if made.returncode != 0:
            raise JudgesMissingError(f"Maven could not build them: {made.stdout.strip()[-400:]}")
        (target / "ready").touch()
        return target


def _ask(
    main: str, arguments: Sequence[str | Path], project: Path = SOURCE, options: Sequence[str] = ()
) -> list[dict[str, Any]]:
    target = build(project)
    classes = f"{target / 'classes'}{os.pathsep}{target / 'lib'}{os.sep}*"
    done = subprocess.run(
        [*_JAVA, *options, "-cp", classes, main, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{main} failed: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def verapdf(files: Iterable[Path]) -> dict[Path, dict[str, Any]]:
    """PDF/A-3b by veraPDF, per file: ``compliant``, ``checks``, ``failures`` (clause, test, message, where)."""
    paths = list(files)
    return dict(zip(paths, _ask("PdfaJudge", paths), strict=True))


def dss(root: Path, files: Iterable[Path]) -> dict[Path, list[dict[str, Any]]]:
    """PAdES by EU DSS under ``root`` alone and without network, per file its signatures.

    Each has ``indication``, ``sub_indication``, ``format`` (as ``PAdES-BASELINE-LT``), ``errors``, ``warnings`` and
    ``timestamps``. A file that DSS cannot read has the single entry ``{"error": …}``.
    """
    paths = list(files)
    answers = _ask("PadesJudge", [root, *paths])
    return {
        path: [{"error": answer["error"]}] if "error" in answer else answer["signatures"]
        for path, answer in zip(paths, answers, strict=True)
    }


def trust_lists(signer: Path, lists: Iterable[Sequence[Path]]) -> list[dict[str, Any]]:
    """ETSI trusted lists signed by ``signer`` (PEM) as EU DSS reads them; documents after a list are judged by it."""
    return _ask("TrustListJudge", [signer, *(",".join(map(str, files)) for files in lists)])


def integrity(files: Iterable[Path]) -> dict[Path, dict[str, Any]]:
    """What EU DSS says of foreign files without any trust: ``signatures`` and ``timestamps``, or ``error``.

    Each has ``intact``, and what its revision shows: ``undefined_changes``, ``form_changes``, ``visual_difference``, ….
    """
    paths = list(files)
    return dict(zip(paths, _ask("IntegrityJudge", paths, options=_ORDERED), strict=True))


def producers(folder: Path) -> list[Path]:
    """Documents of several revisions as Apache PDFBox writes and signs them; names begin with what they are."""
    _ask("Producers", [folder])
    return sorted(folder.glob("*.pdf"))


Asked = tuple[str, Path, Path | None]
"""A kind, the file, and what it is about: the sealed data, the issuer's certificate; None where there is nothing."""


def _triples(main: str, asked: Iterable[Asked], project: Path) -> list[dict[str, Any]]:
    arguments = [part for kind, file, about in asked for part in (kind, file, about if about is not None else "-")]
    answers = _ask(main, arguments, project)
    assert len(answers) * 3 == len(arguments)
    return answers


def ofdrw(asked: Iterable[Asked]) -> list[dict[str, Any]]:
    """Seals (``seal``), seal signatures over data (``signature``) and GB/T 35275 values (``cms``), by ofdrw.

    A seal has ``version``, what it says, ``seal_good`` and ``same_bytes`` (ofdrw writes it just so); a signature also
    ``listed``, ``good`` and ``why`` not. What ofdrw cannot read has ``error``.
    """
    return _triples("SealJudge", asked, SEALS)


def ofdrw_seals(folder: Path, document: Path) -> None:
    """Seals and values over ``document`` as ofdrw makes them, under ``root.der``, into ``folder``."""
    _ask("SealMaker", [folder, document], SEALS)


def bouncycastle(asked: Iterable[Asked]) -> list[dict[str, Any]]:
    """Whole structures signed with SM2, by BouncyCastle: ``good``, ``why`` not, and what it read.

    Kinds: ``certificate``, ``crl`` and ``ocsp`` under an issuer's certificate, ``cms`` and ``token`` over data.
    """
    return _triples("NationalJudge", asked, SOURCE)


def bouncycastle_structures(folder: Path, document: Path) -> None:
    """The same kinds as BouncyCastle makes them, under ``root.der``, and PDFs that PDFBox signs with SM2."""
    _ask("NationalMaker", [folder, document])
