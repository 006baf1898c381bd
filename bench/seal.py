"""Sealing a short and a long PDF, beside pyHanko alone in the same run; sealed files judged a second.

    python -m bench.seal [--pages N] [--kilobytes N] [--rounds N] [--json]

Each engine works in a process of its own, on the same file, with the same kind of key in memory (P-256), without
timestamps: once to warm up, then ``rounds`` times; the quickest and the median round are told. *certvault* puts the
seal on a page, *certvault edges* across the edges of all pages (骑缝章), both from file to file; *certvault memory*
does the former in memory. *pyHanko* puts the same picture on the same page by its incremental writer, from file to
file. Peak memory is what the process had at most above what it had after one such run on a small file; *process* is
all it had.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

AT = datetime(2026, 11, 23, tzinfo=UTC)
ENGINES = ("certvault", "certvault edges", "certvault memory", "pyHanko")
Work = Callable[[Path, Path], None]


def main() -> None:
    """Measure, and print a table."""
    options = _options()
    if options.child:
        print(json.dumps(_child(options.child, Path(options.file), options.rounds)))
        return
    report = _measure(options.pages, options.kilobytes, options.rounds)
    report["verified"] = _verified()
    print(json.dumps(report) if options.json else _table(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--kilobytes", type=int, default=60, help="content of a page that does not compress")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(pages: int, kilobytes: int, rounds: int) -> dict[str, Any]:
    found: dict[str, Any] = {"load": os.getloadavg()[0], "files": []}
    with tempfile.TemporaryDirectory() as folder:
        for count in (1, pages):
            path = Path(folder) / f"{count}.pdf"
            write_document(path, count, kilobytes)
            rows = {}
            for engine in ENGINES:
                if count == 1 and engine == "certvault edges":
                    continue
                command = [sys.executable, "-m", "bench.seal", "--child", engine, "--file", str(path)]
                done = subprocess.run([*command, "--rounds", str(rounds)], check=True, capture_output=True, text=True)
                rows[engine] = json.loads(done.stdout)
            found["files"].append({"pages": count, "bytes": path.stat().st_size, "engines": rows})
    return found


def write_document(path: Path, pages: int, kilobytes: int) -> None:
    """A document of A4 pages, each with a line of text and a grey picture that does not compress."""
    side = max(1, int((kilobytes * 1000) ** 0.5))
    offsets: list[int] = []
    kids = b" ".join(b"%d 0 R" % (4 + 3 * i) for i in range(pages))
    with path.open("wb") as out:
        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

        def put(body: bytes) -> None:
            offsets.append(out.tell())
            out.write(b"%d 0 obj\n%s\nendobj\n" % (len(offsets), body))

        put(b"<< /Type /Catalog /Pages 2 0 R >>")
        put(b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595 842] >>" % (kids, pages))
        put(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
        for number in range(pages):
            resources = b"/Font << /F1 3 0 R >> /XObject << /Im %d 0 R >>" % (6 + 3 * number)
            put(b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R /Resources << %s >> >>" % (5 + 3 * number, resources))
            text = b"BT /F1 12 Tf 72 780 Td (Page %d) Tj ET q 300 0 0 300 72 300 cm /Im Do Q" % (number + 1)
            put(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
            picture = os.urandom(side * side)
            head = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8"
            put(b"<< %s /Length %d >>\nstream\n%s\nendstream" % (head % (side, side), len(picture), picture))
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f\r\n" % (len(offsets) + 1))
        out.write(b"".join(b"%010d 00000 n\r\n" % offset for offset in offsets))
        out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, start))


# --- one engine, in its own process ---------------------------------------------------------------------------------


def _child(engine: str, path: Path, rounds: int) -> dict[str, float]:
    work = _pyhanko() if engine == "pyHanko" else _ours(engine)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        small, target = Path(folder) / "small.pdf", Path(folder) / "sealed.pdf"
        write_document(small, 2, 1)
        work(small, target)
        before = _peak()
        times, busy = [], []
        for _ in range(rounds + 1):
            start, used = time.perf_counter(), time.process_time()
            work(path, target)
            times.append(time.perf_counter() - start)
            busy.append(time.process_time() - used)
        size = target.stat().st_size - path.stat().st_size
    times = times[1:]
    return {
        "best_ms": min(times) * 1000,
        "median_ms": statistics.median(times) * 1000,
        "processor_ms": statistics.median(busy[1:]) * 1000,
        "total_mb": _peak() / 1024,
        "peak_mb": (_peak() - before) / 1024,
        "grows_kb": size / 1000,
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _ours(engine: str) -> Work:
    from signing.formats.placement import AcrossEdges, AtPosition, Corner
    from signing.formats.seal_document import Instrument, SealOrder, seal_document, seal_file
    from signing.formats.seal_look import VectorPicture
    from templates.seals import SealArt, draw_seal

    signer, certificate = _key()
    art = draw_seal(SealArt("开封市示例局", "official", "", 42.0))
    place = AcrossEdges() if engine == "certvault edges" else AtPosition(-1, 30, 30, Corner.BOTTOM_RIGHT)
    order = SealOrder(Instrument(signer, certificate), AT, (place,), VectorPicture(art.deflated, 42, 42))

    def in_memory(source: Path, target: Path) -> None:
        target.write_bytes(seal_document(source.read_bytes(), order))

    return in_memory if engine == "certvault memory" else lambda source, target: seal_file(source, target, order)


def _key() -> tuple[Any, bytes]:
    from signing.backends import open_backend
    from signing.formats.x509 import Ca as Authority
    from signing.formats.x509 import CertificateRequestData, Subject, issue_certificate, random_serial, self_signed_root
    from signing.keys import KeyPurpose
    from signing.signer import BackendSigner
    from verify.formats.algorithms import Algorithm

    backend = open_backend("memory:")
    root = BackendSigner(backend, backend.generate("root", Algorithm.ECDSA_P256_SHA256, KeyPurpose.CA))
    since, until = AT - timedelta(days=1), AT + timedelta(days=900)
    top = self_signed_root(root, Subject("Bench", "Bench"), serial=1, not_before=since, not_after=until)
    handle = backend.generate("seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
    wanted = CertificateRequestData(
        Subject("开封市示例局", "开封市示例局", "91110000600037341L"),
        handle,
        random_serial(),
        since,
        until,
        ca_name="root-1",
        base_url="http://127.0.0.1",
    )
    return BackendSigner(backend, handle), issue_certificate(Authority(top, root), wanted)


def _pyhanko() -> Work:
    from PIL import Image, ImageDraw
    from pyhanko.pdf_utils.images import PdfImage
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
    from pyhanko.stamp import StaticStampStyle

    from bench.rival import _signer

    picture = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(picture).ellipse((10, 10, 390, 390), outline=(212, 18, 23), width=12)
    style = StaticStampStyle(background=PdfImage(picture), background_opacity=1)
    signer = _signer()

    def work(source: Path, target: Path) -> None:
        metadata = signers.PdfSignatureMetadata(
            field_name="Seal1", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
        )
        spec = SigFieldSpec("Seal1", on_page=-1, box=(390, 85, 510, 205))
        with source.open("rb") as original, target.open("w+b") as out:
            writer = IncrementalPdfFileWriter(original, strict=False)
            made = signers.PdfSigner(metadata, signer, stamp_style=style, new_field_spec=spec)
            made.sign_pdf(writer, output=out)

    return work


# --- sealed files judged a second -----------------------------------------------------------------------------------


def _verified() -> dict[str, float]:
    """A PDF of one page with one seal, judged on one core with the vault's chain, P-256. Seals alone: bench.seals."""
    from signing.formats.seal_document import Profile
    from tests.support.contracts import contract
    from tests.support.sealing import NO_TEXT, instrument, judged, make, sealed

    own = instrument(make())
    made = {
        p: sealed(contract(), NO_TEXT, picture=None, instrument=own, profile=p) for p in (Profile.SES, Profile.BOTH)
    }
    made[Profile.PADES] = sealed(contract(), NO_TEXT)
    return {f"PDF of one page, {p.value}": _rate(lambda pdf=pdf: judged(pdf)) for p, pdf in made.items()}


def _rate(work: Callable[[], object]) -> float:
    work()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < 2:
        work()
        count += 1
    return count / (time.perf_counter() - start)


def _table(report: dict[str, Any]) -> str:
    out = io.StringIO()
    print(f"load {report['load']:.1f}", file=out)
    for file in report["files"]:
        print(f"\n{file['pages']} pages, {file['bytes'] / 1e6:.1f} MB", file=out)
        print(
            "| engine | best | median | processor | peak memory | process | grows by |\n|---|---|---|---|---|---|---|",
            file=out,
        )
        for name, row in file["engines"].items():
            figures = f"{row['best_ms']:.1f} ms | {row['median_ms']:.1f} ms | {row['processor_ms']:.1f} ms"
            figures += f" | {row['peak_mb']:.1f} MB | {row['total_mb']:.0f} MB"
            print(f"| {name} | {figures} | {row['grows_kb']:.1f} kB |", file=out)
    print("\n| judged | a second |\n|---|---|", file=out)
    for name, rate in report["verified"].items():
        print(f"| {name} | {rate:.0f} |", file=out)
    return out.getvalue()


if __name__ == "__main__":
    main()
