"""Seals judged per second, step by step, beside the SM2 verifications that they need alone, in the same run.

    python -m bench.seals [--count N] [--json]

Each seal and each signature is another one, of one maker and one signer, as a service sees them. *seal* is a bare seal
(one value and one chain of its own), *signature* one over a document (two values, two chains, revocation by a list).
*bare SM2* is ``verify_sm2`` over the same number of bytes, once for each value that a signature needs: the values of
seal and document; links of chains are judged once and remembered.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bench.verify import machine
from signing.backends import open_backend
from signing.formats.crl import make_crl
from signing.formats.eseal import SealData, SealPicture, make_seal, make_seal_signature
from signing.formats.x509 import Ca, CertificateRequestData, Subject, issue_certificate, random_serial, self_signed_root
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from verify.evidence import Evidence
from verify.formats.algorithms import Algorithm
from verify.formats.seal import unverified_seal_signature
from verify.formats.sm2 import sm3, verify_sm2
from verify.seal import inspect_seal
from verify.trust.anchors import TrustStore

AT = datetime(2026, 11, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
DOCUMENT = b"what is sealed"


def material(count: int) -> tuple[list[bytes], list[bytes], bytes, bytes, bytes]:
    """Seals, signatures, the root, its revocation list, and the signer's public key."""
    backend = open_backend("memory:")
    root = BackendSigner(backend, backend.generate("root", Algorithm.SM2_SM3, KeyPurpose.CA))
    times = {"not_before": AT - YEAR, "not_after": AT + YEAR}
    ca = Ca(self_signed_root(root, Subject("bench root"), serial=random_serial(), **times), root)
    made: list[tuple[BackendSigner, bytes]] = []
    for label, purpose in (("maker", KeyPurpose.SEAL_MAKER), ("signer", KeyPurpose.SEAL)):
        handle = backend.generate(label, Algorithm.SM2_SM3, purpose)
        asked = CertificateRequestData(Subject(label), handle, random_serial(), AT - YEAR / 2, AT + YEAR / 2)
        made.append((BackendSigner(backend, handle), issue_certificate(ca, asked)))
    (maker, maker_certificate), (signer, certificate) = made
    picture = SealPicture("PNG", bytes(20_000), 42, 42)
    data = SealData("", "测试用印章", 1, "certvault", (certificate,), AT, AT, AT + YEAR / 3, picture)
    seals = [make_seal(replace(data, seal_id=f"370300{n:08}"), maker, maker_certificate) for n in range(count)]
    hand = {"signer": signer, "certificate": certificate, "data_hash": sm3(DOCUMENT), "at": AT, "property_info": "/"}
    values = [make_seal_signature(seal, **hand) for seal in seals]  # type: ignore[arg-type]
    crl = make_crl(ca, number=1, this_update=AT, next_update=AT + YEAR / 12)
    return seals, values, ca.certificate, crl, signer.handle.spki


def rate(items: Sequence[bytes], work: Callable[[bytes], object]) -> tuple[float, float]:
    """Items a second by the clock, and milliseconds of processor for one."""
    work(items[0])
    start, used = time.perf_counter(), time.process_time()
    for item in items:
        work(item)
    took, used = time.perf_counter() - start, time.process_time() - used
    return round(len(items) / took, 1), round(used / len(items) * 1000, 3)


def measure(count: int) -> dict[str, object]:
    """The report."""
    seals, values, root, crl, spki = material(count)
    trust, evidence = TrustStore((root,)), Evidence(crls=(crl,))
    read = {value: unverified_seal_signature(value) for value in values}

    def judge(data: bytes) -> None:
        found = inspect_seal(data, trust=trust, at=AT + YEAR / 100, evidence=evidence, document=DOCUMENT)
        if any(step.outcome.value == "FAILED" for step in found.steps):
            raise AssertionError(found.to_json("en"))

    def bare(data: bytes) -> None:
        for _ in range(2):
            verify_sm2(read[data].signature, read[data].covered, spki)

    parts = {
        "seal": rate(seals, judge),
        "signature": rate(values, judge),
        "bare SM2 of a signature": rate(values, bare),
    }
    shown = {name: {"per_second": clock, "processor_ms": work} for name, (clock, work) in parts.items()}
    return {"machine": machine(), "count": count, "bytes": len(values[0]), "rates": shown}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    report = measure(given.count)
    if given.json:
        print(json.dumps(report, ensure_ascii=False))
        return
    print(f"{given.count} of each, {report['bytes']} bytes a signature, {report['machine']}")
    rates = report["rates"]
    assert isinstance(rates, dict)
    for name, shown in rates.items():
        print(f"{name:<24} {shown['per_second']:>9} /s   {shown['processor_ms']} ms of processor each")


if __name__ == "__main__":
    main()
