"""Issuers of a vault: each with its own remit, seal, record and code keys.

An issuer appears only when its keys have their certificates: one that a crash interrupted is added by the same command
again, under the next generation of keys.
"""

from __future__ import annotations

import builtins
import datetime
import json
import re
from collections.abc import Sequence

from certvault.catalog import Catalog
from certvault.certification import Certification
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import ConflictError, conflict, forbidden
from certvault.hubrefusals import require_licenses
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.keys import Issuer, event
from certvault.sealkeys import SealKeys
from certvault.settings import Settings
from verify.formats.codes import uscc_fault
from verify.formats.refusal import RefusedError, refuse

MAX_NAME = 40
_PLACE = re.compile(r"[0-9]{2}(?:[0-9]{2}){0,2}")


class Issuers:
    """Adds and lists issuers."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        certification: Certification,
        seal_keys: SealKeys,
        catalog: Catalog,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._certification = certification
        self._seal_keys = seal_keys
        self._catalog = catalog
        self._settings = settings
        self._clock = clock

    def add(
        self,
        name: str,
        code: str,
        *,
        actor: Actor,
        types: Sequence[str] | None = None,
        places: Sequence[str] | None = None,
    ) -> Issuer:
        """A new issuer with its seal and keys. ``types`` and ``places`` (region codes or their beginnings) are its
        remit; None means all.

        Raises RefusedError naming the field, ConflictError (ISSUER_EXISTS).
        """
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        require_licenses(self._settings)
        self._check(name, code, types, places)
        at = self._clock.now()
        issuer = Issuer(
            code=code,
            name=name.strip(),
            types=json.dumps(None if types is None else sorted(set(types))),
            places=json.dumps(None if places is None else sorted(set(places))),
            seal_name=name.strip(),
            seal_kind="official",
            seal_code=self._seal_keys.new_id(),
            since=at.replace(microsecond=0) - datetime.timedelta(minutes=1),
        )
        self._certification.equip(issuer, at, actor.subject)
        seal = self._seal_keys.first(issuer, at, actor.subject)
        with self._database.writing() as uow:
            if uow.issuers.get(code) is not None:
                raise _exists(code)
            saved = uow.issuers.save(issuer, event("ISSUER_ADDED", f"issuer:{code}", actor.subject))
            seal.save(uow)
        self._keyring.refresh()
        return saved

    def list(self, actor: Actor) -> builtins.list[Issuer]:
        """All issuers, oldest first."""
        if not actor.has(Role.ISSUER, Role.AUDITOR, Role.CUSTODIAN):
            raise forbidden(Role.AUDITOR)
        with self._database.reading() as view:
            return sorted(view.issuers.all(), key=lambda i: (i.since, i.code))

    def _check(self, name: str, code: str, types: Sequence[str] | None, places: Sequence[str] | None) -> None:
        if not 0 < len(name.strip()) <= MAX_NAME or not name.isprintable():
            raise _wrong("name", "名称为空或过长", "the name is empty or too long", f"1–{MAX_NAME}")
        if uscc_fault(code) is not None:
            zh, en = "代码不是正确的统一社会信用代码", "the code is no unified social credit code"
            raise _wrong("code", zh, en, "18")
        known = {t.name for t in self._catalog.list()}
        for one in types or ():
            if one not in known:
                zh, en = f"没有证照类型 {one[:60]}", f"there is no license type {one[:60]}"
                raise _wrong("types", zh, en, "、".join(sorted(known)))
        for one in places or ():
            if not _PLACE.fullmatch(one):
                zh, en = (
                    f"{one[:20]} 不是行政区划代码或其前几位",
                    f"{one[:20]} begins no region code",
                )
                raise _wrong("places", zh, en, "41、4102、410202")
        with self._database.reading() as view:
            if view.issuers.get(code) is not None:
                raise _exists(code)


def _wrong(field: str, zh: str, en: str, allowed: str) -> RefusedError:
    remedy_en = f"Allowed: {allowed.replace('、', ', ')}"
    return refuse("OPTION", field, zh, en, remedy_zh=f"可用：{allowed}", remedy_en=remedy_en)


def _exists(code: str) -> ConflictError:
    return conflict(
        "ISSUER_EXISTS",
        "code",
        f"已有代码为 {code} 的颁发机构",
        f"there is an issuer with the code {code} already",
        remedy_zh="请核对代码。",
        remedy_en="Check the code.",
    )
