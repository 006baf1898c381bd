"""What one change of status costs with 10 thousand, 1 million and 10 million licenses; lists; the drill for a key.

    python -m bench.status [--sizes 10000,1000000,10000000] [--acts N] [--database URL] [--folder DIR] [--json]
    python -m bench.status --drill N [--workers W] [--keys file|pkcs11]
    python -m bench.status --suspend N

Licenses are rows made in the database itself, with the columns and indexes of real ones, but without record and with
a short encrypted part, so that ten million take some 7 GB; two in a hundred have an entry in their list. On them

* *revoke* is ``Standings.change``: license, versions and history read, the act, its entry in the list, the audit line;
  one commit. Bytes are what the write-ahead log grew by.
* *update* is the floor: one plain UPDATE of one row of the same table by sqlite3 (or psycopg), one commit.
* *list* is what the next request for the list costs this process: the new entry read, 32 KiB packed, signed.
* *rebuild* is the usual way: every license read, all lists filled, packed and signed anew.
* *seen* is the time from the beginning of ``revoke`` here until a client in a third process has a list that says so
  from a server in a second one. The client asks every 20 ms, as long as its allowance lasts.

The three take turns, so that a busy machine is busy for all; medians. ``--drill`` issues N licenses with everything
that belongs to them, reports their seal's key as compromised, and prints the report's phases. ``--suspend`` does so
with N rows as above, each with a use of the seal, and leaves re-issuing out: how long until all are suspended.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.data import examples
from bench.verify import machine
from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault
from certvault.db.engine import transaction
from certvault.drill import Wanted
from certvault.model.standing import Act
from certvault.standing import Asked
from certvault.statuslists import BITS, FULL_AT, LIFETIME, LIST_SIZE, TTL, list_uri
from signing.formats.statuslist import make_status_list
from signing.keys import KeyPurpose

TYPE = "business-license"
SHARES = (0.001, 0.01, 0.02, 0.1, 0.5)
STEM = "1.2.156.3005.2.11100000MB0143028R001"
Report = dict[str, Any]

# Places are random: a permutation of the list for each list. The same text for both databases but for its functions.
_ROWS = """
INSERT INTO licenses (identifier, type, type_version, number_index, version, copy_number, status_list, status_index,
  issuer_code, region, sealed, session, allotted_at, valid_from, valid_to, state, reason, issued_at, document,
  document_sha256, evidence_until, feed_number, revision)
SELECT '{stem}.{issuer}.' || {serial} || '.001.0', '{type}', 1, {hex32}, 1, 0, i / {full} + 1,
  ((i % {full}) * (40503 + 2 * (i / {full})) + i / {full}) % {size}, '{issuer}', '410200', {short},
  'bench', {at}, {day}, NULL, 'ISSUED', '', {at}, {hex16}, {hex32}, {end}, i + 1, 1
FROM {series}
"""
_SQLITE = {
    "serial": "printf('%016d', i)", "hex32": "lower(hex(randomblob(32)))", "hex16": "lower(hex(randomblob(16)))",
    "short": "randomblob(48)", "at": "datetime('2025-01-01', '+' || i || ' seconds') || '.000000'",
    "day": "'2025-01-01'", "end": "'2031-01-01 00:00:00.000000'",
}  # fmt: skip
_POSTGRES = {
    "serial": "lpad(i::text, 16, '0')",
    "hex32": "encode(sha256(i::text::bytea || random()::text::bytea), 'hex')",
    "hex16": "md5(i::text || random()::text)",
    "short": "sha256(i::text::bytea)",
    "at": "timestamptz '2025-01-01 00:00:00Z' + i * interval '1 second'",
    "day": "date '2025-01-01'",
    "end": "timestamptz '2031-01-01 00:00:00Z'",
}
_ENTRIES = """
INSERT INTO status_entries (list, place, value, change)
SELECT status_list, status_index, 1 + {random}, 0 FROM licenses WHERE {chosen}
"""


def fill(vault: Vault, count: int) -> None:
    """``count`` licenses of the vault's issuer, on the far side of their indexes: dropped before, made anew after."""
    issuer = vault.issuers.list(LOCAL_OPERATOR)[0].code
    sqlite = vault._database.is_sqlite
    parts = (_SQLITE if sqlite else _POSTGRES) | {"stem": STEM, "issuer": issuer, "type": TYPE, "size": LIST_SIZE}
    lists = -(-count // FULL_AT)
    indexes = _indexes(vault)
    with _raw(vault) as execute:
        for name, _ in indexes:
            execute(f"DROP INDEX {name}")
        for n in range(1, lists + 1):
            used = min(FULL_AT, count - (n - 1) * FULL_AT)
            at = "2025-01-01 00:00:00"
            execute(f"INSERT INTO status_lists VALUES ({n}, {LIST_SIZE}, {used}, '{at}{'' if sqlite else 'Z'}', 1)")
        for first in range(0, count, 1_000_000):
            last = min(first + 1_000_000, count) - 1
            series = (
                f"(WITH RECURSIVE c(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM c WHERE i < {last}) "
                "SELECT i FROM c)"
                if sqlite
                else f"generate_series({first}::bigint, {last}) AS c(i)"
            )
            execute(_ROWS.format(full=FULL_AT, series=series, **parts))
        execute(f"INSERT INTO counters (name, value) VALUES ('status-change', {count})")
        execute(
            _ENTRIES.format(random="abs(random()) % 3", chosen="abs(random()) % 50 = 0")
            if sqlite
            else _ENTRIES.format(random="floor(random() * 3)::int", chosen="random() < 0.02")
        )
        for _, text in indexes:
            execute(text)
        execute("ANALYZE licenses")


def _indexes(vault: Vault) -> list[tuple[str, str]]:
    """The indexes of licenses that can be made anew, with the text that makes them."""
    question = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'licenses' AND sql IS NOT NULL"
        if vault._database.is_sqlite
        else "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'licenses' AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint)"
    )
    with transaction(vault._database.engine, writing=False) as connection:
        return [(str(name), str(text)) for name, text in connection.exec_driver_sql(question)]


@contextlib.contextmanager
def _raw(vault: Vault) -> Iterator[Callable[[str], object]]:
    """The database without the vault's care for each commit: it is filled once, and nobody else is there."""
    if not vault._database.is_sqlite:
        with transaction(vault._database.engine, writing=True) as connection:
            yield lambda statement: connection.exec_driver_sql(statement.replace("%", "%%"))
        return
    with contextlib.closing(sqlite3.connect(_file(vault), isolation_level=None)) as opened:
        for setting in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000", "temp_store=FILE"):
            opened.execute(f"PRAGMA {setting}")
        yield opened.execute
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _file(vault: Vault) -> Path:
    return vault.settings.folder / "vault.db"


class Bytes:
    """What the write-ahead log grew by."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def begin(self) -> None:
        """Count from here on."""
        if self._vault._database.is_sqlite:
            with contextlib.closing(sqlite3.connect(_file(self._vault))) as opened:
                opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            self._from = self._position()

    def grown(self) -> int:
        """Bytes since then."""
        if not self._vault._database.is_sqlite:
            return self._position() - self._from
        log = Path(f"{_file(self._vault)}-wal")
        return log.stat().st_size if log.exists() else 0

    def _position(self) -> int:
        with transaction(self._vault._database.engine, writing=False) as connection:
            question = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
            return int(connection.exec_driver_sql(question).scalar_one())


def identifier_of(vault: Vault, i: int) -> str:
    """The i-th license."""
    return f"{STEM}.{vault.issuers.list(LOCAL_OPERATOR)[0].code}.{i:016d}.001.0"


def update_one(vault: Vault, identifier: str) -> None:
    """One plain UPDATE of one row, as durable as the vault's own commits."""
    if not vault._database.is_sqlite:
        with transaction(vault._database.engine, writing=True) as connection:
            connection.exec_driver_sql(f"UPDATE licenses SET reason = 'x' WHERE identifier = '{identifier}'")
        return
    with contextlib.closing(sqlite3.connect(_file(vault))) as opened:
        opened.execute("PRAGMA synchronous=FULL")
        opened.execute("UPDATE licenses SET reason = 'x' WHERE identifier = ?", [identifier])
        opened.commit()


def rebuild(vault: Vault) -> int:
    """Every list anew from all licenses, signed; returns how many."""
    lists: dict[int, bytearray] = {}
    question = (
        "SELECT l.status_list, l.status_index, coalesce(e.value, 0) FROM licenses l LEFT JOIN status_entries e "
        "ON e.list = l.status_list AND e.place = l.status_index"
    )
    with transaction(vault._database.engine, writing=False) as connection:
        for n, place, value in connection.execution_options(stream_results=True).exec_driver_sql(question):
            values = lists.get(n)
            if values is None:
                values = lists[n] = bytearray(LIST_SIZE * BITS // 8)
            values[place // 4] |= value << place % 4 * BITS
    for n, values in lists.items():
        signed(vault, n, bytes(values))
    return len(lists)


def signed(vault: Vault, n: int, values: bytes) -> str:
    """One list, signed as the vault signs it."""
    key = vault._keyring.active(KeyPurpose.STATUS)
    at = vault.clock.now()
    chain = (vault._keyring.certificate_der(key), *vault.pki.above(key, with_root=False))
    uri = list_uri(vault.settings.base_url, n)
    signer = vault._keyring.signer(key)
    return make_status_list(uri, values, signer=signer, chain=chain, at=at, ttl=TTL, expires=at + LIFETIME)


def list_sizes(vault: Vault) -> dict[str, Any]:
    """Bytes of a full list's token, and of all lists of a million licenses, by the share of places with an entry."""
    chosen = random.Random(1)
    sizes: dict[str, Any] = {"per_license_unpacked": BITS * LIST_SIZE / FULL_AT / 8, "lists_a_million": 1e6 / FULL_AT}
    for share in SHARES:
        values = bytearray(LIST_SIZE * BITS // 8)
        for place in chosen.sample(range(LIST_SIZE), FULL_AT)[: int(FULL_AT * share)]:
            values[place // 4] |= chosen.randint(1, 3) << place % 4 * BITS
        token = len(signed(vault, 1, bytes(values)))
        packed = len(zlib.compress(bytes(values), 9))
        million = round(token * 1e6 / FULL_AT)
        sizes[f"{share:.1%}"] = {"token": token, "packed": packed, "a_million": million}
    return sizes


_SERVER = "from api.cli import main; main()"
_CLIENT = """
import base64, http.client, json, sys, time, zlib
host, port, n, place = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
door, tag, value = http.client.HTTPConnection(host, port, timeout=30), "", None
deadline = time.time() + 60
while value != 1 and time.time() < deadline:
    door.request("GET", f"/status-lists/{n}", headers={"If-None-Match": tag} if tag else {})
    answer = door.getresponse()
    body = answer.read()
    if answer.status == 200:
        tag = answer.headers["ETag"]
        payload = body.split(b".")[1]
        lst = json.loads(base64.urlsafe_b64decode(payload + b"=="))["status_list"]["lst"]
        value = zlib.decompress(base64.urlsafe_b64decode(lst + "=="))[place // 4] >> place % 4 * 2 & 3
        print(value, time.time(), flush=True)
    elif answer.status == 429:
        time.sleep(float(answer.headers.get("Retry-After", "1")))
    time.sleep(0.02)
"""


def seen_after(vault: Vault, identifiers: list[str]) -> dict[str, Any]:
    """Seconds from the beginning of each ``revoke`` until a client of another process knows."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, "serve", "--port", "0", "--json", "--vault", str(vault.settings.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = _address(server.stdout)
        took = [_seen(vault, identifier, address) for identifier in identifiers]
    finally:
        server.terminate()
        server.wait()
    return {"median": round(statistics.median(took), 3), "longest": round(max(took), 3), "times": len(took)}


def _address(lines: Any) -> tuple[str, str]:
    text = ""
    for line in lines:
        text += line
        with contextlib.suppress(ValueError):
            url = str(json.loads(text)["url"])
            host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
            return host, port
    raise RuntimeError("the server did not start")


def _seen(vault: Vault, identifier: str, address: tuple[str, str]) -> float:
    found = vault.licenses.readable(identifier, LOCAL_OPERATOR)
    arguments = [*address, str(found.status_list), str(found.status_index)]
    with subprocess.Popen([sys.executable, "-c", _CLIENT, *arguments], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        client.stdout.readline()  # it has the list of before
        began = time.time()
        vault.life.act(identifier, Act.REVOKE, actor=LOCAL_OPERATOR, asked=Asked())
        for line in client.stdout:
            value, at = line.split()
            if value == "1":
                return float(at) - began
    raise RuntimeError("the client never saw it")


def measured(folder: Path, count: int, acts: int, database: str | None, *, whole: bool) -> Report:
    """Everything with ``count`` licenses."""
    options = InitOptions(folder=folder / f"v{count}", keys="file", database_url=database)
    with create_vault(options) as vault:
        began = time.monotonic()
        fill(vault, count)
        filled = time.monotonic() - began
        picked = random.Random(count).sample(range(count), 2 * acts + 5)
        names = [identifier_of(vault, i) for i in picked]
        times: dict[str, list[float]] = {"revoke": [], "update": [], "list": []}
        grown: dict[str, list[int]] = {"revoke": [], "update": []}
        bytes_ = Bytes(vault)
        vault.life.act(names[0], Act.SUSPEND, actor=LOCAL_OPERATOR, asked=Asked())
        before = _written()
        for one, other in zip(names[1 : acts + 1], names[acts + 1 : 2 * acts + 1], strict=True):
            listed = vault.licenses.readable(one, LOCAL_OPERATOR).status_list
            vault.status_lists.token(listed)
            bytes_.begin()
            times["revoke"].append(_took(lambda i=one: vault.life.act(i, Act.REVOKE, actor=LOCAL_OPERATOR)))
            grown["revoke"].append(bytes_.grown())
            times["list"].append(_took(lambda n=listed: vault.status_lists.token(n)))
            bytes_.begin()
            times["update"].append(_took(lambda i=other: update_one(vault, i)))
            grown["update"].append(bytes_.grown())
        written = (_written() - before) // (2 * acts)
        report: Report = {
            "licenses": count,
            "fill_seconds": round(filled, 1),
            "database_bytes": _file(vault).stat().st_size if vault._database.is_sqlite else None,
            "milliseconds": {n: round(1000 * statistics.median(v), 2) for n, v in times.items()},
            "slowest_ms": {n: round(1000 * max(v), 2) for n, v in times.items()},
            "log_bytes": {n: round(statistics.median(v)) for n, v in grown.items()},
            "process_write_bytes_a_commit": written,
            "token_bytes": len(vault.status_lists.token(1)[0]),
        }
        if whole:
            began = time.monotonic()
            report["rebuild"] = {"lists": rebuild(vault), "seconds": round(time.monotonic() - began, 2)}
        report["seen"] = seen_after(vault, names[2 * acts + 1 :])
        report["list_sizes"] = list_sizes(vault)
    return report


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _worked() -> float:
    """Seconds of processor of this process and of its workers that have ended."""
    both = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def _written() -> int:
    """Bytes that this process had written to the disk, as the kernel counts them."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("write_bytes")), 0)


def drill(folder: Path, count: int, workers: int, keys: str | None, database: str | None) -> Report:
    """``count`` licenses issued by bulk jobs, then their key reported as compromised."""
    with create_vault(InitOptions(folder=folder / "drill", keys=keys, database_url=database)) as vault:
        rows = folder / "rows.jsonl"
        data = examples(TYPE)
        with rows.open("w", encoding="utf-8") as file:
            for _ in range(count):
                file.write(json.dumps(next(data), ensure_ascii=False) + "\n")
        since = vault.clock.now() - timedelta(hours=1)
        began, worked = time.monotonic(), _worked()
        started = vault.minting.start(TYPE, rows, None, actor=LOCAL_OPERATOR)
        made = vault.minting.run(started.job, out=None, actor=LOCAL_OPERATOR, workers=workers)
        minted, minting = time.monotonic() - began, _worked() - worked
        vault._keyring.refresh()
        key = vault._keyring.all(KeyPurpose.SEAL)[-1].id
        began = time.monotonic()
        dry = vault.drills.rehearse(key, since, LOCAL_OPERATOR)
        rehearsed = time.monotonic() - began
        load, worked = os.getloadavg(), _worked()
        done = vault.drills.run(key, since, LOCAL_OPERATOR, workers=workers)
        drilling = _worked() - worked
        report = done.report or {}
        return {
            "licenses": count,
            "workers": workers,
            "keys": vault.settings.keys_uri.partition(":")[0],
            "issued": made.issued,
            "issue_per_second": round(made.issued / minted, 1),
            "processor_ms_each": {
                "issue": round(1000 * minting / count, 1),
                "drill": round(1000 * drilling / count, 1),
            },
            "dry_run_seconds": round(rehearsed, 2),
            "dry_run_counts": dry.counts["planned"],
            "counts": {n: done.counts[n] for n in ("licenses", "reissued", "suspended", "left")},
            "phases": report.get("phases"),
            "suspended_seconds": report.get("suspended_seconds"),
            "load_before_and_after": [load, os.getloadavg()],
        }


def suspended(folder: Path, count: int, database: str | None) -> Report:
    """A drill without re-issuing over ``count`` licenses that are rows alone."""
    with create_vault(InitOptions(folder=folder / "suspend", keys="file", database_url=database)) as vault:
        fill(vault, count)
        vault._keyring.refresh()
        key = vault._keyring.all(KeyPurpose.SEAL)[-1]
        with vault._database.reading() as view:
            edition = view.seal_versions.where(key_id=key.id)[0]
        with _raw(vault) as execute:
            if not vault._database.is_sqlite:
                execute("SET session_replication_role = replica")  # no permits stand behind these uses
            execute(
                "INSERT INTO seal_uses (permit_id, leaf, seal_id, seal_version, key_id, digest, used_by, used_at, "
                f"identifier, revision) SELECT document, '', '{edition.seal_id}', 1, '{key.id}', document_sha256, "
                "'bench', allotted_at, identifier, 1 FROM licenses"
            )
        worked, load = _worked(), os.getloadavg()
        since = vault.clock.now() - timedelta(days=36_500)
        done = vault.drills.run(key.id, since, LOCAL_OPERATOR, Wanted(reissue=False))
        return {
            "licenses": count,
            "suspended": done.counts["suspended"],
            "processor_ms_each": round(1000 * (_worked() - worked) / count, 2),
            "phases": (done.report or {}).get("phases"),
            "load_before_and_after": [load, os.getloadavg()],
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,1000000", help="how many licenses; add 10000000 where 10 GB are free")
    parser.add_argument("--acts", type=int, default=25)
    parser.add_argument("--database", default=None, help="an empty PostgreSQL database, for one size [SQLite]")
    parser.add_argument("--folder", type=Path, default=None, help="where the vaults are made for the time being")
    parser.add_argument("--no-rebuild", action="store_true")
    parser.add_argument("--drill", type=int, default=0)
    parser.add_argument("--suspend", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keys", default=None)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="certvault-bench-", dir=given.folder) as name:
        folder = Path(name)
        if given.drill:
            report: Report = drill(folder, given.drill, given.workers, given.keys, given.database)
            print(json.dumps({"machine": machine(), "drill": report}, indent=1, ensure_ascii=False))
            return
        if given.suspend:
            report = suspended(folder, given.suspend, given.database)
            print(json.dumps({"machine": machine(), "suspend": report}, indent=1))
            return
        rows = []
        for size in given.sizes.split(","):
            row = measured(folder, int(size), given.acts, given.database, whole=not given.no_rebuild)
            rows.append(row | {"load": os.getloadavg()})
            if not given.json:
                _show(rows[-1], rows[0], first=len(rows) == 1)
            _remove(folder / f"v{size}")
    report = {"machine": machine(), "rows": rows}
    if given.json:
        print(json.dumps(report, indent=1))
        return
    print(f"list sizes by the share of licenses with an entry: {json.dumps(rows[-1]['list_sizes'])}")
    print(f"{report['machine']}")


def _show(row: Report, base: Report, *, first: bool) -> None:
    if first:
        print(
            f"{'licenses':>10} {'revoke ms':>10} {'log B':>8} {'update ms':>10} {'log B':>8} {'list ms':>8} "
            f"{'token B':>8} {'rebuild s':>10} {'seen s':>8} {'ratio ms':>9} {'ratio B':>8}  load"
        )
    times, grown = row["milliseconds"], row["log_bytes"]
    ratio = times["revoke"] / base["milliseconds"]["revoke"]
    more = grown["revoke"] / base["log_bytes"]["revoke"]
    rebuilt = row.get("rebuild", {}).get("seconds", float("nan"))
    print(
        f"{row['licenses']:>10} {times['revoke']:>10.2f} {grown['revoke']:>8} {times['update']:>10.2f} "
        f"{grown['update']:>8} {times['list']:>8.2f} {row['token_bytes']:>8} {rebuilt:>10.2f} "
        f"{row['seen']['median']:>8.3f} {ratio:>9.2f} {more:>8.2f}  {row['load'][0]:.1f}",
        flush=True,
    )


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
