"""What following a hub costs: a full and a delta synchronization, in time and traffic.

    python -m bench.sync [--regions 34] [--issuers 500] [--changed 5] [--folder DIR] [--json]

Each region's list has so many issuers with a seal, a record and a code certificate each, really signed (one set, shared
by all regions, since the lists and not the certificates are measured), under a root, an issuing authority and a key for
trust lists of its own. A hub that holds them all is served by ``certvault serve`` in a process of its own; a member in
this process follows it.

* *full* is a member's first synchronization: list of lists, every list, every signature and number checked, all kept.
* *unchanged* is the next one: nothing is new.
* *delta* comes after so many issuers of every region changed: differences, each list rebuilt and its signature checked.
* *download* is the peer: httpx fetches the bytes of *full* from the same process, one after another, and looks at
  nothing. *download again* does so with the changed lists, as who has no differences must.

Bytes are those of bodies. Lists travel unpacked, as the service gives them.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from bench.verify import machine
from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault, open_vault
from certvault.clock import SystemClock
from certvault.hubs import keep_seen
from certvault.web import Fetched, Web
from signing.formats.x509 import CertificateRequestData, Subject, issue_certificate, random_serial
from signing.keys import KeyPurpose
from tests.support.regions import FakeRegion, fake_region, region_pki
from verify.formats.trustlist import Endpoints, ListedIssuer, ListedSeal

CODES = tuple(f"{n}0000" for n in (
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82,
))  # fmt: skip
"""The 34 regions of the provincial level."""
YEAR = datetime.timedelta(days=365)


class Counting(Web):
    """The client, counting what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = self.requests = 0

    def get(self, url: str, **options: Any) -> Fetched:
        found = super().get(url, **options)
        self.bytes += len(found.body)
        self.requests += 1
        return found


def certificates(count: int, at: datetime.datetime) -> list[bytes]:
    """So many certificates of one key, with subjects and serials of their own."""
    pki = region_pki("bench")
    made = []
    for n in range(count):
        request = CertificateRequestData(
            subject=Subject(
                f"示例机关 {n} 电子印章", organization="示例机关", organization_identifier=f"1141{n:013d}X"
            ),
            key=dataclasses.replace(pki.signer(KeyPurpose.SEAL).handle),
            serial=random_serial(),
            not_before=at,
            not_after=at + 3 * YEAR,
            ca_name="issuing-1",
            base_url="http://127.0.0.1:8000",
        )
        made.append(issue_certificate(pki.issuing, request))
    return made


def issuers(count: int, certs: list[bytes], at: datetime.datetime, changed: int = 0) -> tuple[ListedIssuer, ...]:
    """The issuers of a region; ``changed`` of them with another name."""
    return tuple(
        ListedIssuer(
            code=f"1141{n:013d}X",
            name=f"示例机关 {n}" + ("（更名）" if n < changed else ""),
            types=("business-license", "food-business-license"),
            places=None,
            since=at,
            level=2,
            seals=(ListedSeal(f"{n:014d}", f"示例机关 {n}", "official", (certs[3 * n],), True, at),),
            records=(certs[3 * n + 1],),
            codes=(certs[3 * n + 2],),
        )
        for n in range(count)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regions", type=int, default=34)
    parser.add_argument("--issuers", type=int, default=500)
    parser.add_argument("--changed", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    if wanted.folder is not None:
        wanted.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        found = measure(Path(folder), wanted.regions, wanted.issuers, wanted.changed)
    if wanted.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    print(found["machine"])
    for name, row in found["rows"].items():
        print(f"{name:<16}{row['seconds']:>9.2f} s{row['bytes']:>14,} bytes{row['requests']:>6} requests")


def measure(folder: Path, count: int, size: int, changed: int) -> dict[str, Any]:
    now = SystemClock().now().replace(microsecond=0)
    at = now - datetime.timedelta(hours=1)
    certs = certificates(3 * size, at)
    regions = [fake_region(code) for code in CODES[:count]]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    hub = create_vault(InitOptions(folder / "hub", region="100000", hub=True, keys="file", base_url=url))
    member = create_vault(InitOptions(folder / "member", region="410200", keys="file"))
    rows: dict[str, dict[str, Any]] = {}
    for region in regions:
        hub.hub.admit(region.anchor, LOCAL_OPERATOR, address=region.base)
    publish(hub, regions, 1, issuers(size, certs, at), now)
    anchor = hub.anchors.current()
    hub.close()
    command = [sys.executable, "-c", "from api.cli import main; main()", "--vault", str(folder / "hub"), "serve"]
    with subprocess.Popen(
        [*command, "--port", str(port), "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        try:
            assert served.stdout is not None
            served.stdout.readline()
            web = member.hubs._web = Counting()

            def row(name: str, started: float) -> None:
                seconds = time.perf_counter() - started
                rows[name] = {"seconds": seconds, "bytes": web.bytes, "requests": web.requests}
                web.bytes = web.requests = 0

            started = time.perf_counter()
            member.hubs.adopt_at(url, anchor, LOCAL_OPERATOR)
            row("full", started)
            assert len(member.regions.list()) == count, member.hubs.sync()
            started = time.perf_counter()
            member.hubs.sync()
            row("unchanged", started)
            rows["download"] = download(url, regions)
            with open_vault(folder / "hub") as hub:
                publish(hub, regions, 2, issuers(size, certs, at, changed), now)
            started = time.perf_counter()
            done = member.hubs.sync()
            row("delta", started)
            assert {r.sequence for r in member.regions.list()} == {2}, done
            rows["download again"] = download(url, regions)
        finally:
            served.terminate()
            member.close()
    return {"machine": machine(), "regions": count, "issuers": size, "changed": changed, "rows": rows}


def publish(
    hub: Vault, regions: list[FakeRegion], sequence: int, listed: tuple[ListedIssuer, ...], at: datetime.datetime
) -> None:
    """Let the hub hold list ``sequence`` of every region, as if it had gathered it."""
    for region in regions:
        issued = at - datetime.timedelta(minutes=10 - sequence)
        points = Endpoints(region.base, f"{region.base}/v1/trust-list")  # no status lists: nobody is there to ask
        token = region.token(sequence, issued=issued, issuers=listed, example=True, endpoints=points)
        hub.regions.adopt(token, region.anchor, LOCAL_OPERATOR)
        state = hub.regions.one(region.code).state
        keep_seen(hub._database, region.code, sequence, state.content, token, "direct", at)
    hub.hub.newest()


def download(url: str, regions: list[FakeRegion]) -> dict[str, Any]:
    """The same bytes, looked at by nobody."""
    started, size = time.perf_counter(), 0
    with httpx.Client(trust_env=False, timeout=60) as client:
        paths = ["/v1/hub/lists", *(f"/v1/hub/lists/{r.code}" for r in regions)]
        for path in paths:
            size += len(client.get(url + path).raise_for_status().content)
    return {"seconds": time.perf_counter() - started, "bytes": size, "requests": len(paths)}


if __name__ == "__main__":
    main()
