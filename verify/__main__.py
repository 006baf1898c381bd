"""``python -m verify``: judge files with this folder alone and its base dependencies.

Exit status: 0 all VALID and, where a license, IN_FORCE; 10 some INVALID; 11 none INVALID, some INDETERMINATE; 12 all
VALID, some license not in force; 2 wrong usage; 1 a path could not be read.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verify.evidence import Evidence
from verify.findings import all_codes
from verify.media import verify_any
from verify.policy import DEFAULT_POLICY
from verify.report import DEPTHS
from verify.report.catalog import codes_markdown
from verify.trust.sources import read_sources
from verify.verdict import Conclusion, Standing, Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.codes:
        _print_codes(options)
        return 0
    if not options.files:
        parser.error("name at least one file")
    try:
        given = read_sources(options.trust, allow_example=options.allow_example, at=_now())
        trust, evidence = given.trust, _evidence(options).beside(given.evidence)
        document = options.data.read_bytes() if options.data else None
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    verdicts: list[tuple[str, Verdict]] = []
    unread = False
    for name in options.files:
        try:
            data = _read(name)
        except OSError as error:
            sys.stderr.write(f"{name}: {error.strerror}\n")
            unread = True
            continue
        at = options.at or _now()
        verdict = verify_any(data, trust=trust, at=at, evidence=evidence, password=options.password, document=document)
        verdicts.append((name, verdict))
    _show(options, verdicts)
    return 1 if unread else exit_status([v for _, v in verdicts])


def _read(name: str) -> bytes:
    """A file's bytes, or those of the standard input for ``-``; not more than it takes to see that it is too large."""
    most = DEFAULT_POLICY.limits.pdf_bytes + 1
    if name == "-":
        return sys.stdin.buffer.read(most)
    with Path(name).open("rb") as stream:
        return stream.read(most)


def exit_status(verdicts: Sequence[Verdict]) -> int:
    """The exit status that sums up several verdicts."""
    conclusions = {v.conclusion for v in verdicts}
    if Conclusion.INVALID in conclusions:
        return 10
    if Conclusion.INDETERMINATE in conclusions:
        return 11
    return 0 if all(v.standing in (None, Standing.IN_FORCE) for v in verdicts) else 12


_TRUST = "certificate, folder of them, region's anchor with its trust list beside it, or offline kit"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m verify", description="Verify sealed PDFs, records and codes.")
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--trust", action="append", type=Path, default=[], metavar="PATH", help=_TRUST)
    parser.add_argument("--status-list", action="append", default=[], metavar="URI=FILE", help="a status list token")
    parser.add_argument("--crl", action="append", type=Path, default=[], metavar="FILE", help="a revocation list (DER)")
    parser.add_argument("--ocsp", action="append", type=Path, default=[], metavar="FILE", help="an OCSP response (DER)")
    parser.add_argument("--at", type=_moment, metavar="TIME", help="judge at this moment (RFC 3339), not now")
    parser.add_argument("--offline", action="store_true", help="accepted; this command never uses the network")
    parser.add_argument("--data", type=Path, metavar="FILE", help="what a signature in a file of its own is over")
    parser.add_argument("--password", metavar="TEXT", help="opens an encrypted PDF")
    parser.add_argument("--allow-example", action="store_true", help="let example authorities count")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--depth", choices=DEPTHS, help="a report instead of the verdict alone")
    parser.add_argument("--codes", action="store_true", help="list every finding code")
    parser.add_argument("--markdown", action="store_true", help="with --codes: as a page")
    return parser


def _now() -> datetime:
    """The library takes its moment as an argument; this command is a caller and reads the machine's clock."""
    return datetime(*time.gmtime()[:6], tzinfo=UTC)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _evidence(options: argparse.Namespace) -> Evidence:
    lists: dict[str, bytes] = {}
    for text in options.status_list:
        uri, separator, path = text.rpartition("=")
        if not separator:
            raise ValueError(f"--status-list {text}: expected URI=FILE")
        lists[uri] = Path(path).read_bytes()
    return Evidence(lists, tuple(p.read_bytes() for p in options.crl), tuple(p.read_bytes() for p in options.ocsp))


def _show(options: argparse.Namespace, verdicts: Sequence[tuple[str, Verdict]]) -> None:
    if options.as_json:
        files = [{"file": name, **verdict.to_json(options.lang, depth=options.depth)} for name, verdict in verdicts]
        _write(json.dumps({"files": files}, ensure_ascii=False, indent=2))
        return
    for name, verdict in verdicts:
        shown = verdict.to_json(options.lang)
        _write(f"{name}: {shown['integrity']}  {shown['conclusion']}  {shown['standing'] or ''}".rstrip())
        order = {"FATAL": 0, "DOUBT": 1, "NOTE": 2}
        for found in sorted(shown["findings"], key=lambda f: order[f["severity"]]):
            _write(f"  {found['severity']:<5} {found['code']}: {found['message']}")


def _print_codes(options: argparse.Namespace) -> None:
    if options.markdown:
        sys.stdout.write(codes_markdown())
        return
    codes: list[dict[str, Any]] = list(all_codes(options.lang))
    if options.as_json:
        _write(json.dumps({"codes": codes}, ensure_ascii=False, indent=2))
        return
    for code in codes:
        _write(f"{code['code']}  {code['about']}  {code['severity']}\n  {code['zh']}\n  {code['en']}")


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
