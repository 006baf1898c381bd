"""Licenses per second on one core through the whole path, beside the usual way and beside the key alone.

    python -m bench.issue [--count N] [--rounds N] [--suite p256|rsa3072|sm2] [--keys pkcs11|file] [--json]

*issue* is everything that ``certvault issue`` does for one business license: check, number (committed), draw, record,
code, PDF/A-3b, permit (committed), PAdES B-LT seal with timestamp and revocation data, SD-JWT, encryption, storing,
audit. *rival* draws and signs the same page with reportlab and pyHanko and does nothing else (:mod:`bench.rival`).
*sign* is the seal's key alone. The three take turns on one core, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.data import examples
from bench.rival import Rival
from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault
from certvault.clock import legal_date
from signing.keys import KeyPurpose
from signing.tbs import ToBeSigned
from templates.render import SealArt
from templates.schema import check

TYPE = "business-license"
SIGNATURES_A_ROUND = 200


def _timed(work: Callable[[], object], count: int) -> tuple[float, float]:
    """Seconds of the clock and of this process's processor time, for one."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        work()
    return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count


def machine() -> dict[str, object]:
    """What this runs on."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        model = next((value.strip() for name, _, value in lines if name.strip() == "model name"), model)
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "used": "one core"}


def on_one_core() -> None:
    """Stay on one core of this machine, children too."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(count: int, rounds: int, suite: str, keys: str | None) -> dict[str, object]:
    """Run all three; medians over the rounds."""
    on_one_core()
    with tempfile.TemporaryDirectory(prefix="certvault-bench-") as folder:
        vault = create_vault(InitOptions(folder=Path(folder) / "vault", suite=suite, keys=keys))
        with vault:
            type = vault.catalog.get(TYPE)
            data = examples(TYPE)
            first = vault.issuing.issue(TYPE, next(data), actor=LOCAL_OPERATOR)
            checked = check(type, next(data), today=legal_date(vault.clock.now()))
            seal = SealArt(checked.authority, "official", "", 42.0)
            rival = Rival(type, checked, seal, f"{vault.settings.base_url}/verify#c={'A' * 440}")
            signer = vault._keyring.signer(next(k for k in reversed(vault._keyring.all(KeyPurpose.SEAL))))
            digest = ToBeSigned(b"x" * 200, KeyPurpose.SEAL)
            waiting = [next(data) for _ in range(count * rounds)]
            works: dict[str, tuple[Callable[[], object], int]] = {
                "issue": (lambda: vault.issuing.issue(TYPE, waiting.pop(), actor=LOCAL_OPERATOR), count),
                "rival": (rival.make, count),
                "sign": (lambda: signer.sign(digest), SIGNATURES_A_ROUND),
            }
            rival.make()
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
            for _ in range(rounds):
                for name, (work, times) in works.items():
                    found[name].append(_timed(work, times))
            rival_size = len(rival.make())
            return _report(found, len(first.pdf), rival_size, vault, signer.handle.algorithm.name)


def _report(
    found: dict[str, list[tuple[float, float]]], size: int, rival_size: int, vault: Vault, algorithm: str
) -> dict[str, object]:
    wall = {name: statistics.median(w for w, _ in values) for name, values in found.items()}
    cpu = {name: statistics.median(c for _, c in values) for name, values in found.items()}
    return {
        "machine": machine(),
        "vault": {"suite": vault.settings.suite, "keys": vault.settings.keys_uri.partition(":")[0], "seal": algorithm},
        "per_second": {name: round(1 / value, 1) for name, value in wall.items()},
        "milliseconds": {name: round(1000 * value, 2) for name, value in wall.items()},
        "processor_milliseconds": {name: round(1000 * value, 2) for name, value in cpu.items()},
        "issue_to_rival": round(wall["rival"] / wall["issue"], 2),
        "issue_to_sign": round(wall["sign"] / wall["issue"], 4),
        "pdf_bytes": {"issue": size, "rival": rival_size},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=15, help="licenses a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--suite", default="p256")
    parser.add_argument("--keys", default=None, help="pkcs11 or file [SoftHSM when it is there]")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = measure(arguments.count, arguments.rounds, arguments.suite, arguments.keys)
    if arguments.json:
        json.dump(report, sys.stdout, indent=1)
        print()
        return
    rates, times, processor = report["per_second"], report["milliseconds"], report["processor_milliseconds"]
    assert isinstance(rates, dict)
    assert isinstance(times, dict)
    assert isinstance(processor, dict)
    print(f"machine  {report['machine']}")
    print(f"vault    {report['vault']}")
    for name, what in (
        ("issue", "the whole path, B-LT"),
        ("rival", "reportlab + pyHanko, drawing and signing only, B-B"),
        ("sign", "the seal's key alone"),
    ):
        print(f"{name:8} {rates[name]:8.1f}/s {times[name]:8.2f} ms ({processor[name]:.2f} ms of processor)  {what}")
    print(
        f"ratio    issue is {report['issue_to_rival']} times the rival, {report['issue_to_sign']} of the key's own rate"
    )
    print(f"size     {report['pdf_bytes']}")


if __name__ == "__main__":
    main()
