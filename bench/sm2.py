"""SM2 signatures per second on one core, beside ``openssl speed`` in the same run.

    python -m bench.sm2 [--seconds N] [--rounds N] [--json]

*sign* and *verify* are a key in memory and the verifier of every door, over messages of 200 bytes, digest with identity
included. *cms* and *cms read* are whole values of GB/T 35275. ``openssl speed sm2`` signs and verifies in a loop in C,
over 20 bytes. All count processor time, and take turns, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import argparse
import json
import re
import ssl
import statistics
import subprocess
import time
from collections.abc import Callable

from bench.issue import machine, on_one_core
from signing.backends import open_backend
from signing.formats.cms import sign_national
from signing.formats.x509 import Subject, random_serial, self_signed_root
from signing.keys import KeyHandle, KeyPurpose
from signing.signer import BackendSigner
from verify.formats.algorithms import Algorithm
from verify.formats.cms import check_signature, unverified_cms
from verify.formats.libcrypto import libcrypto
from verify.formats.sm2 import sm3, verify_sm2

MESSAGE = b"x" * 200
_SPEED = re.compile(r"SM2 \(CurveSM2\)\s+[\d.]+s\s+[\d.]+s\s+([\d.]+)\s+([\d.]+)")


def _rate(work: Callable[[], object], seconds: float) -> float:
    """Times a second of processor."""
    work()
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        for _ in range(20):
            work()
        done += 20
    return done / spent


def _openssl(seconds: int) -> tuple[float, float]:
    """Signatures and verifications a second, as ``openssl speed`` counts them."""
    command = ["openssl", "speed", "-seconds", str(seconds), "sm2"]
    found = _SPEED.search(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if found is None:
        raise SystemExit("this openssl measures no SM2")
    return float(found[1]), float(found[2])


def _works() -> dict[str, Callable[[], object]]:
    from datetime import UTC, datetime, timedelta

    backend = open_backend("memory:")
    ca = BackendSigner(backend, backend.generate("root", Algorithm.SM2_SM3, KeyPurpose.CA))
    now = datetime.now(UTC)
    end = now + timedelta(days=9)
    certificate = self_signed_root(ca, Subject("bench"), serial=random_serial(), not_before=now, not_after=end)
    handle = KeyHandle(ca.handle.uri, ca.handle.spki, ca.handle.algorithm, KeyPurpose.SEAL)
    seal, digest = BackendSigner(backend, handle), sm3(MESSAGE)
    signature = backend.sign(handle, MESSAGE)
    value = sign_national(digest, signer=seal, certificate=certificate)
    return {
        "sign": lambda: backend.sign(handle, MESSAGE),
        "verify": lambda: verify_sm2(signature, MESSAGE, handle.spki),
        "cms": lambda: sign_national(digest, signer=seal, certificate=certificate),
        "cms read": lambda: check_signature(unverified_cms(value), MESSAGE, "data"),
    }


def measure(seconds: int, rounds: int) -> dict[str, object]:
    """Medians over the rounds."""
    on_one_core()
    works = _works()
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, rate in zip(("openssl sign", "openssl verify"), _openssl(seconds), strict=True):
            found.setdefault(name, []).append(rate)
        for name, work in works.items():
            found.setdefault(name, []).append(_rate(work, seconds))
    command = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.strip()
    linked = f"{libcrypto().OpenSSL_version_num():#x}"
    return {
        "machine": machine(),
        "openssl": command,
        "libcrypto": f"{ssl.OPENSSL_VERSION} ({linked})",
        "per second": {name: round(statistics.median(rates), 1) for name, rates in found.items()},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=2, help="of processor for each thing in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    found = measure(options.seconds, options.rounds)
    if options.as_json:
        print(json.dumps(found, indent=2))
        return
    rates = found.pop("per second")
    for name, value in found.items():
        print(f"{name}: {value}")
    assert isinstance(rates, dict)
    for name, rate in rates.items():
        print(f"{name:<16}{rate:>10.1f} /s of processor")


if __name__ == "__main__":
    main()
