"""Recognitions per second, warm and cold, beside plain verification of the same document in the same run.

    python -m bench.recognition [--regions 34] [--issuers 500] [--rounds N] [--json]

Two vaults are made; one adopts the other, agrees with it, and judges its license as a PDF and as a record, in this
process and without drawing anything that plain verification does not draw. The other regions are synthetic: a root of
their own and issuers with two certificates each. *plain* is the same document judged by the issuing region's trust
alone; *warm* is with all regions known; *cold* makes the index of all lists anew each time, as the first question after
a list has changed does; *loaded* reads the issuing region's list from its token as well. In each round they take turns;
the median of all rounds counts. *hand-over* is what a judge's process is sent once.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.verify import machine
from certvault.agreementrules import read_rules
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.model.actor import LOCAL_OPERATOR
from signing.backends import open_backend
from signing.formats.x509 import Subject, random_serial, self_signed_root
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from verify import verify_any
from verify.evidence import Evidence
from verify.formats.algorithms import Algorithm
from verify.formats.trustlist import Endpoints, ListedIssuer, TrustList, unverified_trust_list
from verify.trust.anchors import TrustStore
from verify.trust.regions import KnownRegion, Regions, with_regions
from verify.verdict import Outcome

TYPE = "road-transport-license"
HERE, THERE = "110000", "410200"
EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / f"{TYPE}.json"
CERTIFICATE_BYTES = 900
Report = dict[str, Any]


def synthetic(number: int, issuers: int, like: TrustList) -> KnownRegion:
    """A region that nobody asks about."""
    backend = open_backend("memory:")
    signer = BackendSigner(backend, backend.generate("root", Algorithm.ECDSA_P256_SHA256, KeyPurpose.CA))
    since = like.issued - timedelta(days=1)
    name = Subject(f"Region {number} Root", f"Region {number}")
    root = self_signed_root(
        signer, name, serial=random_serial(), not_before=since, not_after=since + timedelta(days=3650)
    )
    base = f"https://r{number}.example"
    listed = tuple(
        ListedIssuer(
            f"11{number:02d}0000{i:010d}",
            f"第 {i} 局",
            None,
            None,
            since,
            records=(os.urandom(CERTIFICATE_BYTES),),
            codes=(os.urandom(CERTIFICATE_BYTES),),
        )
        for i in range(issuers)
    )
    made = replace(
        like,
        region=f"{number:02d}0000",
        roots=(root,),
        authorities=(),
        issuers=listed,
        crls=(),
        timestamps=(),
        endpoints=Endpoints(base, f"{base}/v1/trust-list"),
    )
    return KnownRegion(made.region, made, since, since, sha256=f"{number:064d}")


def measure(args: argparse.Namespace, here: Vault, there: Vault) -> Report:
    """The figures."""
    token = there.trust_lists.newest().token.encode()
    here.regions.adopt(token, there.anchors.current(), LOCAL_OPERATOR)
    rules = read_rules(b'{"conditions": {"standing_age": 86400}}')
    here.agreements.make(THERE, TYPE, TYPE, LOCAL_OPERATOR, rules=rules)
    issued = there.issuing.issue(TYPE, json.loads(EXAMPLE.read_text("utf-8")), actor=LOCAL_OPERATOR)
    carriers = {"pdf": issued.pdf, "record": issued.record.encode()}
    own = there.verification.evidence()
    evidence = Evidence(status_lists=dict(own.status_lists), crls=own.crls)
    known = here.verification.trust().regions
    if known is None:
        raise SystemExit("nothing was adopted")
    others = tuple(synthetic(60 + n, args.issuers, known.known[0].list) for n in range(args.regions - 1))
    home = replace(here.verification.trust(), regions=None, anchors=tuple(here.pki.roots()))
    regions = replace(known, known=(*known.known, *others))
    trust = with_regions(home, regions)
    alone = there.verification.trust()
    at = here.clock.now()

    def judged(data: bytes, by: TrustStore) -> None:
        verdict = verify_any(data, trust=by, at=at, evidence=evidence)
        if by is not alone and (verdict.recognition is None or verdict.recognition.outcome is not Outcome.RECOGNIZED):
            raise SystemExit(f"not recognized: {[f.code for f in verdict.findings]}")

    def cold(data: bytes) -> None:
        judged(data, with_regions(home, replace(regions)))

    def loaded(data: bytes) -> None:
        listed, _ = unverified_trust_list(token)
        first = replace(known.known[0], list=listed)
        judged(data, with_regions(home, replace(regions, known=(first, *others))))

    report: Report = {"machine": machine(), "regions": args.regions, "issuers": args.issuers * (args.regions - 1) + 1}
    for kind, data in carriers.items():
        works: dict[str, Callable[[bytes], None]] = {
            "plain": lambda d: judged(d, alone),
            "warm": lambda d: judged(d, trust),
            "cold": cold,
            "loaded": loaded,
        }
        report[kind] = _timed(works, data, args.rounds)
    report["hand-over"] = _handed(trust.regions)
    return report


def _timed(works: dict[str, Callable[[bytes], None]], data: bytes, rounds: int) -> Report:
    """Milliseconds by the clock and of the processor, and how many a second that processor time allows on one core."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for work in works.values():
        work(data)  # imports and caches are no round
    for _ in range(rounds):
        for name, work in works.items():
            start, worked = time.perf_counter(), time.process_time()
            work(data)
            spent[name].append(((time.perf_counter() - start) * 1000, (time.process_time() - worked) * 1000))
    shown: Report = {}
    for name, values in spent.items():
        clock, processor = (statistics.median(v[n] for v in values) for n in (0, 1))
        shown[name] = {"ms": round(clock, 2), "cpu_ms": round(processor, 2), "per_second": round(1000 / processor, 1)}
    return shown


def _handed(regions: Regions | None) -> Report:
    start = time.perf_counter()
    packed = pickle.dumps(regions)
    middle = time.perf_counter()
    pickle.loads(packed)
    end = time.perf_counter()
    return {
        "bytes": len(packed),
        "pack_ms": round((middle - start) * 1000, 1),
        "unpack_ms": round((end - middle) * 1000, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regions", type=int, default=34)
    parser.add_argument("--issuers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = [
            create_vault(InitOptions(folder=Path(folder) / r, region=r, keys="file", base_url=f"http://{r}.example"))
            for r in (HERE, THERE)
        ]
        try:
            report = measure(args, *made)
        finally:
            for vault in made:
                vault.close()
    if args.json:
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
        return
    for name, value in report.items():
        sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    main()
