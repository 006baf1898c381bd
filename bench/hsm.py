"""Signatures per second through SoftHSM with 1, 4 and 16 threads, beside a bare python-pkcs11 loop in the same run.

    python -m bench.hsm [--threads 1,4,16] [--seconds S] [--rounds N] [--sessions N] [--json]

*certvault* is ``BackendSigner.sign`` of 32 bytes: purpose checked, hashed, a session of the pool, the value in DER.
*bare* is ``key.sign(digest, mechanism=ECDSA)`` of python-pkcs11, each thread with a session and key object of its own.
Both use one P-256 key of one fresh token in one process. python-pkcs11 starts SoftHSM without locks, under which it
crashes with two threads, so the module is started as certvault starts it for both. They take turns, the first to go
changing; of each the best round counts. *us each* is the whole process's processor time a signature, in microseconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pkcs11

from bench.verify import machine
from signing.backends import create_softhsm_token, open_backend
from signing.backends.pkcs11_uri import parse_pkcs11_uri
from signing.keys import KeyHandle, KeyPurpose
from signing.signer import BackendSigner
from signing.tbs import ToBeSigned
from verify.formats.algorithms import Algorithm

PIN = "1234-bench"
DATA = bytes(range(32))
Loop = Callable[[], None]
Report = dict[str, Any]


def measured(make: Callable[[], Loop], threads: int, seconds: float) -> tuple[float, float]:
    """Signatures a second and microseconds of processor each, by ``threads`` at once for ``seconds``."""
    loops = [make() for _ in range(threads)]
    for loop in loops:
        loop()  # log-ins and look-ups are nobody's signature
    stop, done, start = threading.Event(), [0] * threads, threading.Barrier(threads + 1)

    def work(number: int) -> None:
        loop, count = loops[number], 0
        start.wait()
        while not stop.is_set():
            loop()
            count += 1
        done[number] = count

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    began, worked = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    took, processor = time.perf_counter() - began, time.process_time() - worked
    count = sum(done)
    return count / took, processor / count * 1e6


def compared(signer: BackendSigner, handle: KeyHandle, uri: str, threads: int, seconds: float, rounds: int) -> Report:
    """The best round of each with this many threads."""
    digest, label = hashlib.sha256(DATA).digest(), parse_pkcs11_uri(handle.uri).object
    where = parse_pkcs11_uri(uri)
    lib = pkcs11.lib(where.module_path)

    def ours() -> Loop:
        return lambda: signer.sign(ToBeSigned(DATA, KeyPurpose.SEAL)) and None

    def bare() -> Loop:
        token = lib.get_token(token_label=where.token)
        session = token.open()  # the process is logged in
        key = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label=label)
        sign, mechanism = key.sign, pkcs11.Mechanism.ECDSA
        return lambda: sign(digest, mechanism=mechanism) and None

    best: dict[str, tuple[float, float]] = {"certvault": (0.0, 0.0), "bare": (0.0, 0.0)}
    makers = {"certvault": ours, "bare": bare}
    for turn in range(rounds):
        names = list(makers) if turn % 2 else list(makers)[::-1]
        for name in names:
            best[name] = max(best[name], measured(makers[name], threads, seconds))
    shown = {name: {"per_second": round(rate), "processor_us": round(each, 1)} for name, (rate, each) in best.items()}
    return {"threads": threads, **shown, "share": round(best["certvault"][0] / best["bare"][0], 3)}


def main() -> None:
    """Make a token, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", default="1,4,16")
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("SOFTHSM2_CONF", None)
        uri = create_softhsm_token(Path(folder), "bench", PIN)
        conf = str(Path(folder).absolute() / "softhsm2.conf")
        backend = open_backend(uri, pin=lambda: PIN, softhsm_conf=conf, sessions=given.sessions)
        handle = backend.generate("seal", Algorithm.ECDSA_P256_SHA256, KeyPurpose.SEAL)
        signer = BackendSigner(backend, handle)
        signer.sign(ToBeSigned(DATA, KeyPurpose.SEAL))
        rows = [compared(signer, handle, uri, int(n), given.seconds, given.rounds) for n in given.threads.split(",")]
        backend.close()
    report = {"machine": machine(), "sessions": given.sessions, "rounds": given.rounds, "rows": rows}
    if given.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{report['machine']}  sessions: {given.sessions}")
    print(f"{'threads':>7} {'certvault/s':>12} {'bare/s':>10} {'share':>7} {'us each':>9} {'bare us':>9}")
    for row in rows:
        ours, bare = row["certvault"], row["bare"]
        print(
            f"{row['threads']:>7} {ours['per_second']:>12} {bare['per_second']:>10} {row['share']:>7.3f} "
            f"{ours['processor_us']:>9} {bare['processor_us']:>9}"
        )


if __name__ == "__main__":
    main()
