"""The only place that wires: settings, database, store, backend and clock become a vault."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from certvault.agreements import Agreements
from certvault.anchors import Anchors
from certvault.audit import Audit
from certvault.backup import Backup, restore
from certvault.catalog import Catalog
from certvault.certification import Certification
from certvault.cipher import Cipher
from certvault.clock import Clock, SystemClock
from certvault.compromise import Compromise
from certvault.datakeys import note_data_keys
from certvault.db.unit_of_work import Database
from certvault.deliveries import Deliveries
from certvault.doctor import Doctor
from certvault.drill import Drills
from certvault.errors import SettingsError, conflict
from certvault.exposure import Exposure
from certvault.feed import Feed
from certvault.gathering import Gathering
from certvault.hub import Hub
from certvault.hubs import Hubs
from certvault.idempotency import Idempotency
from certvault.infochecks import InfoChecks
from certvault.initoptions import InitOptions, check_options
from certvault.issuers import Issuers
from certvault.issuing import Issuing
from certvault.jobrunner import WorkerSeed
from certvault.keycare import KeyCare
from certvault.keyring import Keyring
from certvault.keytests import KeyTests
from certvault.kits import Kits
from certvault.licenselife import LicenseLife
from certvault.licenses import Licenses
from certvault.maintenance import Maintenance
from certvault.minting import Minting
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.keys import VAULT_OWNER, DataKey, Issuer, event
from certvault.notices import Notices
from certvault.pipeline import Pipeline
from certvault.pki import Pki
from certvault.receipts import Receipts
from certvault.recovery import Recovery
from certvault.regionlists import RegionLists
from certvault.regions import Regions
from certvault.regionsync import RegionSync
from certvault.reissuing import Reissuing
from certvault.relay import Relay
from certvault.relaysync import RelaySync
from certvault.remote import RemoteSigning
from certvault.reports import Reports
from certvault.sealfiles import SealFiles
from certvault.sealing import Sealing
from certvault.sealkeys import SealKeys
from certvault.seals import Seals
from certvault.sealstanding import SealStandings
from certvault.sealuses import SealUses
from certvault.sessions import Session
from certvault.settings import FILE_NAME, PIN_ENVIRONMENT, Settings, read_pin, read_settings, write_pin
from certvault.standing import Standings
from certvault.standinganswers import StandingAnswers
from certvault.statuslists import StatusLists
from certvault.store import FolderStore, Store
from certvault.successions import Successions
from certvault.tokens import Tokens
from certvault.trustlists import TrustLists
from certvault.trustlistxml import TrustListXml
from certvault.vault import Vault
from certvault.verification import Verification
from certvault.versions import Versions
from certvault.wallet import Wallet
from certvault.web import web_of
from certvault.webhooks import Webhooks
from signing.backends import create_softhsm_token, open_backend, softhsm_available, softhsm_configuration
from signing.backends.base import Backend
from templates.registry import shipped_types

__all__ = [
    "LOCAL_OPERATOR",
    "Actor",
    "InitOptions",
    "Vault",
    "create_vault",
    "open_vault",
    "restore_backup",
]

MARK_FILE = ".unfinished"
SQLITE_FILE = "vault.db"
STORE_FOLDER = "store"
KEYS_FOLDER = "keys"
TOKEN_FOLDER = "token"  # noqa: S105 - a folder's name
_DATA_KEY_BYTES = 32
_ROLE = "role"


def create_vault(options: InitOptions, *, clock: Clock | None = None) -> Vault:
    """Make a vault in an empty or absent folder and open it.

    Raises RefusedError for options that cannot be, ConflictError (VAULT_EXISTS) when one is there. Whatever fails
    leaves the folder empty; what a killed process left is taken back by the next, so the command can be repeated.
    """
    check_options(options)
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _making(folder):
        settings = _make_keys_home(options, folder, secrets.token_hex(8))
        vault = _assemble(settings, clock or SystemClock(), fresh=True)
        try:
            _found(vault, settings, options)
            settings.write()
        except BaseException:
            vault.close()
            raise
    return vault


def open_vault(folder: Path, *, clock: Clock | None = None) -> Vault:
    """Open the vault in ``folder``: migrates the schema when this version is newer, recovers what a crash left.

    Raises SettingsError when the folder holds no vault.
    """
    vault = _assemble(read_settings(folder), clock or SystemClock(), fresh=False)
    try:
        vault.recovery.recover()
    except BaseException:
        vault.close()
        raise
    return vault


def restore_backup(archive: Path, folder: Path, *, pin: str | None = None, database_url: str | None = None) -> None:
    """Make a vault in the empty ``folder`` from a backup.

    ``pin`` is that of the vault it was taken from; without it CERTVAULT_PIN counts. ``database_url`` names an empty
    database to use instead of SQLite. Raises PinError, CorruptDataError, ConflictError (FOLDER_NOT_EMPTY).
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _making(folder):
        restore(archive, folder, pin or os.environ.get(PIN_ENVIRONMENT, ""), _open_token, database_url=database_url)


def _open_token(uri: str, softhsm_conf: str | None, pin: str) -> Backend:
    options = {} if softhsm_conf is None else {"softhsm_conf": softhsm_conf}
    return open_backend(uri, pin=lambda: pin, **options)


def open_store(url: str, folder: Path) -> Store:
    """``folder:NAME`` (relative to the vault) or ``s3://bucket/prefix?endpoint=…``."""
    if url.startswith("folder:"):
        return FolderStore(folder / url.removeprefix("folder:"))
    if url.startswith("s3://"):
        from certvault.store_s3 import S3Store  # boto3 is slow to load and seldom needed

        return S3Store(url)
    kind = url.partition(":")[0]
    raise SettingsError(f"不支持 {kind} 文件存储", f"documents are stored in folder:NAME or s3://…, not in {kind}:")


def _assemble(settings: Settings, clock: Clock, *, fresh: bool) -> Vault:
    session = Session(settings.folder)
    database = Database(_database_url(settings), vault_id=settings.vault_id, session=session.id, now=clock.now)
    try:
        database.migrate()
        if not fresh:
            _require_role(database, settings)
        backend = _open_backend(settings)
        if fresh:
            _make_data_keys(database, backend, clock, settings)
        return _wire(settings, clock, session, database, backend)
    except BaseException:
        database.close()
        session.end()
        raise


def _wire(settings: Settings, clock: Clock, session: Session, database: Database, backend: Backend) -> Vault:
    def data_keys() -> list[DataKey]:
        with database.reading() as view:
            return view.data_keys.all()

    store = open_store(settings.store_url, settings.folder)
    cipher = Cipher(backend, data_keys)
    keyring = Keyring(backend, database, settings.vault_id[:8])
    certification = Certification(database, keyring, settings)
    seal_keys = SealKeys(database, keyring, certification, settings)
    pki = Pki(database, keyring, certification, seal_keys, clock)
    seal_uses = SealUses(database, keyring, pki, settings, clock)
    standings = SealStandings(database, cipher, keyring, pki, settings, clock)
    sealing = Sealing(database, cipher, keyring, pki, seal_uses, standings, settings, clock)
    catalog = Catalog(database, clock)
    status_lists = StatusLists(database, keyring, pki, settings, clock)
    licenses = Licenses(database, cipher, store, catalog, clock)
    recovery = Recovery(database, store, session, settings.folder, clock)
    pipeline = Pipeline(database, cipher, store, sealing, seal_uses, settings, clock)
    audit = Audit(database, keyring, settings.vault_id)
    idempotency = Idempotency(database, cipher, clock, session)
    issuing = Issuing(database, cipher, catalog, pipeline, sealing, recovery, licenses, clock)
    acts = Standings(database, cipher, settings, clock)
    answers = StandingAnswers(database, keyring, pki, acts, settings, clock)
    web = web_of(settings)
    feed = Feed(database, status_lists, clock)
    webhooks = Webhooks(database, cipher, catalog, feed, web, clock)
    anchors = Anchors(database, keyring, pki, certification, settings, clock)
    trust_lists = TrustLists(database, keyring, pki, anchors, catalog, settings, clock)
    regions = Regions(database, pki, settings, clock)
    region_lists = RegionLists(database, web, regions.trust, settings, clock)
    sync = RegionSync(regions, region_lists, web, settings, clock)
    hub = Hub(database, keyring, anchors, regions, settings, clock)
    hubs = Hubs(database, regions, region_lists, web, settings, clock)
    agreements = Agreements(database, keyring, pki, catalog, anchors, regions, settings, clock)
    relay = Relay(database, hub, settings, clock)
    relay_sync = RelaySync(database, regions, relay, agreements, web, settings, clock)
    versions = Versions(database, catalog, pipeline, sealing, issuing, licenses, acts, clock)
    minting = Minting(
        database,
        cipher,
        catalog,
        pipeline,
        sealing,
        seal_uses,
        recovery,
        licenses,
        settings,
        session,
        clock,
        _seed(settings, clock),
        Successions(database, licenses, acts, clock),
    )
    compromise = Compromise(database, keyring, pki, clock)
    notices = Notices(database, keyring, pki, settings, clock)
    drills = Drills(
        database,
        keyring,
        pki,
        compromise,
        Exposure(keyring, licenses, clock),
        acts,
        Reissuing(database, cipher, licenses, minting, session, clock),
        notices,
        audit,
        settings,
        session,
        clock,
    )
    return Vault(
        settings=settings,
        clock=clock,
        catalog=catalog,
        issuing=issuing,
        licenses=licenses,
        life=LicenseLife(database, cipher, acts, versions, settings, clock),
        standings=acts,
        standing_answers=answers,
        receipts=Receipts(keyring, pki, answers, settings, clock),
        info_checks=InfoChecks(database, cipher, catalog, licenses, clock),
        minting=minting,
        verification=Verification(
            database,
            pki,
            status_lists,
            licenses,
            standings,
            answers,
            regions,
            region_lists,
            agreements,
            settings,
            clock,
        ),
        reports=Reports(keyring, pki, sealing, settings, clock),
        wallet=Wallet(database, licenses, catalog, settings, clock),
        issuers=Issuers(database, keyring, certification, seal_keys, catalog, settings, clock),
        seals=Seals(database, cipher, keyring, seal_keys, settings, clock),
        seal_uses=seal_uses,
        remote=RemoteSigning(database, cipher, keyring, pki, seal_uses, settings, clock),
        seal_standings=SealStandings(database, cipher, keyring, pki, settings, clock),
        seal_files=SealFiles(database, cipher, keyring, pki, seal_uses, standings, sealing, clock),
        compromise=compromise,
        drills=drills,
        notices=notices,
        keycare=KeyCare(database, keyring, settings.vault_id),
        pki=pki,
        status_lists=status_lists,
        feed=feed,
        webhooks=webhooks,
        deliveries=Deliveries(database, cipher, feed, webhooks, web, settings, clock),
        tokens=Tokens(database, cipher, catalog, clock),
        audit=audit,
        idempotency=idempotency,
        recovery=recovery,
        web=web,
        hub=hub,
        relay=relay,
        relay_sync=relay_sync,
        hubs=hubs,
        gathering=Gathering(database, hub, hubs, regions, sync, relay_sync, web, settings),
        anchors=anchors,
        trust_lists=trust_lists,
        trust_list_xml=TrustListXml(database, keyring, anchors, trust_lists, settings, clock),
        regions=regions,
        agreements=agreements,
        region_lists=region_lists,
        kits=Kits(
            database,
            keyring,
            pki,
            anchors,
            trust_lists,
            status_lists,
            regions,
            region_lists,
            agreements,
            settings,
            clock,
        ),
        region_sync=sync,
        _database=database,
        _keyring=keyring,
        _session=session,
        _doctor=Doctor(
            database,
            store,
            cipher,
            keyring,
            pki,
            audit,
            licenses,
            recovery,
            clock,
            KeyTests(keyring, settings.vault_id),
        ),
        _maintenance=Maintenance(
            database,
            cipher,
            store,
            keyring,
            certification,
            seal_keys,
            pki,
            sealing,
            licenses,
            audit,
            idempotency,
            recovery,
            clock,
        ),
        _backup=Backup(database, store, backend, recovery, settings, lambda: _pin(settings)),
    )


def _seed(settings: Settings, clock: Clock) -> Callable[[], WorkerSeed]:
    def seed() -> WorkerSeed:
        from certvault.workers import start, work

        return WorkerSeed(start, work, (settings.folder, clock, _pin(settings)))

    return seed


def _pin(settings: Settings) -> str:
    return read_pin(settings.folder, settings.pin_source)


def _found(vault: Vault, settings: Settings, options: InitOptions) -> None:
    """What a new vault holds before its first license."""
    at = vault.clock.now()
    actor = VAULT_OWNER
    certification = Certification(vault._database, vault._keyring, settings)
    seal_keys = SealKeys(vault._database, vault._keyring, certification, settings)
    certification.found(at, actor)
    if not settings.is_hub:
        _found_issuer(vault, certification, seal_keys, options)
    vault._keyring.refresh()
    vault.audit.anchor(vault.clock.now())
    with vault._database.writing() as uow:
        uow.set_fact(_ROLE, settings.role, event("ROLE_CHOSEN", "vault", actor, role=settings.role))
    with vault._database.writing() as uow:  # last: a database without this fact holds no finished vault
        uow.set_fact("vault", settings.vault_id, event("VAULT_FOUNDED", "vault", actor, suite=settings.suite))


def _found_issuer(vault: Vault, certification: Certification, seal_keys: SealKeys, options: InitOptions) -> None:
    """The first issuer with its seal, and the types."""
    at, actor = vault.clock.now(), VAULT_OWNER
    issuer = Issuer(
        code=options.issuer_code,
        name=options.issuer_name,
        types="null",
        places="null",
        seal_name=options.issuer_name,
        seal_kind="official",
        seal_code=seal_keys.new_id(),
        since=at.replace(microsecond=0) - datetime.timedelta(minutes=1),
    )
    certification.equip(issuer, at, actor)
    seal = seal_keys.first(issuer, at, actor)
    with vault._database.writing() as uow:
        uow.issuers.save(issuer, event("ISSUER_ADDED", f"issuer:{issuer.code}", actor))
        seal.save(uow)
    vault._keyring.refresh()
    vault.catalog.add_all(shipped_types(), LOCAL_OPERATOR)


def _require_role(database: Database, settings: Settings) -> None:
    """A vault does not become a hub, nor a hub a vault of licenses, because somebody changed a file."""
    with database.reading() as view:
        founded = view.fact(_ROLE) or "region"
    if founded != settings.role:
        raise SettingsError(
            f"{FILE_NAME}：[region] role 为 {settings.role}，而该库建立时为 {founded}，不能改变",
            f"{FILE_NAME}: [region] role is {settings.role}, but the vault was made as {founded}, which stays",
        )


def _make_data_keys(database: Database, backend: Backend, clock: Clock, settings: Settings) -> None:
    with database.reading() as view:
        begun, finished = bool(view.data_keys.all()), view.fact("vault") is not None
    if finished:
        raise SettingsError("该数据库已属于另一保管库", "the database belongs to another vault already")
    if begun:  # a killed process left it; nothing was ever issued from it
        database.clear()
    wrapping = backend.generate_wrapping_key(f"{settings.vault_id[:8]}-wrapping-1")
    with database.writing() as uow:
        for use in ("data", "index"):
            wrapped = backend.wrap(wrapping, secrets.token_bytes(_DATA_KEY_BYTES))
            key = DataKey(use, 1, wrapping, wrapped, clock.now())
            uow.data_keys.save(key, event("DATA_KEY_CREATED", f"data-key:{use}-1", VAULT_OWNER))
            note_data_keys(uow, backend, [key], VAULT_OWNER)


def _make_keys_home(options: InitOptions, folder: Path, vault_id: str) -> Settings:
    """The token or folder of keys, its PIN, and the settings that go with it."""
    kind = options.keys or ("pkcs11" if softhsm_available() and options.suite != "sm2" else "file")
    pin = options.pin or os.environ.get(PIN_ENVIRONMENT) or secrets.token_urlsafe(24)
    given = options.pin is None and bool(os.environ.get(PIN_ENVIRONMENT))
    softhsm_conf: str | None = None
    if kind == "pkcs11":
        inherited = os.environ.get("SOFTHSM2_CONF")
        uri = create_softhsm_token(folder / TOKEN_FOLDER, f"certvault-{vault_id}", pin)
        softhsm_conf = inherited or f"{TOKEN_FOLDER}/softhsm2.conf"
    elif kind == "file":
        uri = f"file:{KEYS_FOLDER}"
    else:
        uri = kind  # a pkcs11: URI of a token that is there already
    if not given:
        write_pin(folder, pin)
    return Settings(
        folder=folder,
        vault_id=vault_id,
        region=options.region,
        name=options.name,
        base_url=options.base_url.rstrip("/"),
        suite=options.suite,
        production=options.production,
        database_url=options.database_url or f"sqlite:///{SQLITE_FILE}",
        store_url=options.store_url or f"folder:{STORE_FOLDER}",
        keys_uri=uri,
        pin_source="env" if given else "file",
        softhsm_conf=softhsm_conf,
        key_mechanisms=options.key_mechanisms,
        role="hub" if options.hub else "region",
        agreement_countersigned=options.production,
        agreement_approver=options.production,
    )


def _open_backend(settings: Settings) -> Backend:
    uri = settings.keys_uri
    if uri.startswith("file:") and not uri.startswith("file:/"):
        uri = f"file:{settings.folder / uri.removeprefix('file:')}"
    options: dict[str, Any] = {}
    if uri.startswith("pkcs11:"):
        options = {"sessions": settings.key_sessions, "mechanisms": settings.key_mechanisms}
    if settings.softhsm_conf is not None:
        options["softhsm_conf"] = _softhsm_conf(settings, settings.softhsm_conf)
    return open_backend(uri, pin=lambda: _pin(settings), **options)


def _softhsm_conf(settings: Settings, name: str) -> str:
    """The configuration to use; an embedded one is written anew when the vault's folder was moved."""
    path = Path(name)
    if path.is_absolute():
        return name
    conf = settings.folder / path
    tokens = conf.parent / "tokens"
    if conf.exists() and f"directories.tokendir = {tokens}\n" not in conf.read_text():
        conf.unlink()
    return str(softhsm_configuration(conf.parent))


def _database_url(settings: Settings) -> str:
    prefix, _, name = settings.database_url.partition(":///")
    if prefix == "sqlite" and name and not name.startswith("/"):
        return f"sqlite:///{settings.folder / name}"
    return os.path.expandvars(settings.database_url)


@contextlib.contextmanager
def _making(folder: Path) -> Iterator[None]:
    """Fill an empty folder, wholly or not at all. A locked mark tells a process at work from one that was killed."""
    mark = folder / MARK_FILE
    if mark.exists() and not (folder / FILE_NAME).exists() and not _is_locked(mark):
        _clear(folder)
    _require_empty(folder)
    descriptor = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
        mark.unlink()
    except BaseException:
        _clear(folder)
        raise
    finally:
        os.close(descriptor)


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _require_empty(folder: Path) -> None:
    if any(folder.iterdir()):
        known = (folder / FILE_NAME).exists()
        raise conflict(
            "VAULT_EXISTS" if known else "FOLDER_NOT_EMPTY",
            "vault",
            f"{folder} 不是空文件夹",
            f"{folder} is not empty",
            remedy_zh="请选择空文件夹。",
            remedy_en="Choose an empty folder.",
        )


def _clear(folder: Path) -> None:
    """Take back what a failed ``create_vault`` made; the folder was empty before."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
