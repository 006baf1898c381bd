"""The catalog: published license types, versions side by side, kept in the database."""

from __future__ import annotations

import builtins
import io
import threading
import zipfile
from collections.abc import Iterable, Mapping

from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import conflict, forbidden, not_found
from certvault.model.actor import Actor, Role
from certvault.model.keys import event
from certvault.model.views import TypeInfo
from certvault.model.work import PublishedType
from templates.registry import LicenseType, load_type
from templates.render import proof
from verify.formats.refusal import Text


class Catalog:
    """Lists, gives and publishes license types."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._loaded: dict[tuple[str, int], LicenseType] = {}
        self._lock = threading.Lock()

    def list(self) -> builtins.list[TypeInfo]:
        """Every published version, by name and version."""
        with self._database.reading() as view:
            found = view.types.all()
        return [_info(t) for t in sorted(found, key=lambda t: (t.name, t.version))]

    def get(self, name: str, version: int | None = None) -> LicenseType:
        """One version of a type, the newest when ``version`` is None. NotFoundError (``NOT_FOUND``)."""
        if version is not None and (name, version) in self._loaded:
            return self._loaded[name, version]
        with self._database.reading() as view:
            query = view.types.query().where(view.types.table.c.name == name)
            column = view.types.table.c.version
            query = query.order_by(column.desc()).limit(1) if version is None else query.where(column == version)
            found = view.types.all(query)
        if not found:
            raise not_found("证照类型", "license type", name if version is None else f"{name} v{version}")
        return self._load(found[0])

    def add(self, files: Mapping[str, bytes], actor: Actor) -> LicenseType:
        """Check and publish a type.

        Raises RefusedError (BAD_LICENSE_TYPE) naming file and member, ConflictError (TYPE_VERSION) when that version
        is published with other contents or the version does not follow. Publishing the same again changes nothing.
        """
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        loaded = load_type(files)
        proof(loaded)
        return self.add_all([loaded], actor)[0]

    def add_all(self, types: Iterable[LicenseType], actor: Actor) -> builtins.list[LicenseType]:
        """Publish several types that were loaded already."""
        published = []
        with self._database.writing() as uow:
            for license_type in types:
                versions = {t.version: t for t in uow.types.where(name=license_type.name)}
                same = versions.get(license_type.version)
                if same is not None and same.digest == license_type.digest:
                    published.append(license_type)
                    continue
                _check_version(license_type, max(versions, default=0))
                record = _published(license_type, self._clock)
                about = f"type:{record.name}@{record.version}"
                uow.types.save(record, event("TYPE_PUBLISHED", about, actor.subject, digest=record.digest))
                published.append(license_type)
        return published

    def _load(self, record: PublishedType) -> LicenseType:
        with self._lock:
            key = (record.name, record.version)
            if key not in self._loaded:
                self._loaded[key] = load_type(_unpacked(record.files))
            return self._loaded[key]


def _check_version(license_type: LicenseType, newest: int) -> None:
    if license_type.version > newest:
        return
    raise conflict(
        "TYPE_VERSION",
        "type.json: version",
        f"{license_type.name} 已发布到版本 {newest}",
        f"{license_type.name} is published up to version {newest}, with other contents",
        remedy_zh=f"请将版本号改为 {newest + 1}。",
        remedy_en=f"Set version to {newest + 1}.",
    )


def _published(license_type: LicenseType, clock: Clock) -> PublishedType:
    return PublishedType(
        name=license_type.name,
        version=license_type.version,
        digest=license_type.digest,
        type_code=license_type.type_code,
        code_is_example=license_type.type_code_is_example,
        title_zh=license_type.title.zh,
        title_en=license_type.title.en,
        files=_packed(license_type.files),
        published_at=clock.now(),
    )


def _info(t: PublishedType) -> TypeInfo:
    return TypeInfo(
        t.name, t.version, t.type_code, t.code_is_example, Text(t.title_zh, t.title_en), t.digest, t.published_at
    )


def _packed(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return buffer.getvalue()


def _unpacked(packed: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
