"""This region's trust list as XML (ETSI TS 119 612), for readers that know no other form.

It is made from the newest list with that list's number, signed once by the same key, and kept for every process. The
region's issuers, remits and types are in the JSON form alone (:mod:`certvault.trustlists`). A region whose keys are
SM2 has none: XML signatures have no identifier for it, and no reader of such lists could check a license of it.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from certvault.anchors import Anchors
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import DuplicateRowError, NotFoundError
from certvault.keyring import Keyring
from certvault.model.keys import VAULT_OWNER, event
from certvault.settings import Settings
from certvault.trustlists import Published, TrustLists
from verify.formats.refusal import Refusal, Text
from verify.formats.trustlist import unverified_trust_list

_FACT = "trust-list-xml"


@dataclass(frozen=True, slots=True)
class PublishedXml:
    """The document as it is given out; ``of`` is the list in its JSON form."""

    of: Published
    data: bytes
    etag: str

    @property
    def digest(self) -> str:
        """SHA-256 in hex, by which readers see whether anything changed (TS 119 612 6.1)."""
        return hashlib.sha256(self.data).hexdigest()


class TrustListXml:
    """Publishes the XML form. Thread-safe."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        anchors: Anchors,
        lists: TrustLists,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._anchors = anchors
        self._lists = lists
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: PublishedXml | None = None

    def newest(self) -> PublishedXml:
        """The newest list as XML. NotFoundError (TRUST_LIST_NOT_IN_XML) for a region whose keys are SM2."""
        from signing.formats.xades import can_sign

        if not can_sign(self._anchors.list_key().key.algorithm):
            raise _not_in_xml()
        newest = self._lists.newest()
        with self._lock:
            if self._kept is None or self._kept.of != newest:
                data = self._stored(newest.sequence) or self._signed(newest)
                self._kept = PublishedXml(newest, data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')
            return self._kept

    def _stored(self, sequence: int) -> bytes | None:
        with self._database.reading() as view:
            return _of(sequence, view.fact(_FACT))

    def _signed(self, newest: Published) -> bytes:
        """Sign it; of several processes that do so at once, the one counts that stores it first."""
        from signing.formats.trustlistxml import Operator, make_trust_list_xml

        listed, _ = unverified_trust_list(newest.token)  # our own
        key = self._anchors.list_key()
        made = make_trust_list_xml(
            listed,
            signer=self._keyring.signer(key.key),
            certificate=key.chain[0],
            at=max(self._clock.now(), listed.issued),
            operator=Operator(**self._settings.operator),
        )
        told = event("TRUST_LIST_SIGNED", f"trust-list:{listed.sequence}", VAULT_OWNER, key=key.key.id, form="xml")
        try:
            with self._database.writing() as uow:
                there = _of(listed.sequence, uow.view.fact(_FACT))
                if there is None:
                    uow.set_fact(_FACT, f"{listed.sequence}\n{made.decode()}", told)
        except DuplicateRowError:  # the very first one, in two processes at once
            there = self._stored(listed.sequence)
        return made if there is None else there


def _of(sequence: int, fact: str | None) -> bytes | None:
    """The stored document when it is of that list."""
    number, _, text = (fact or "").partition("\n")
    return text.encode() if number == str(sequence) else None


def _not_in_xml() -> NotFoundError:
    return NotFoundError(
        Refusal(
            "TRUST_LIST_NOT_IN_XML",
            "",
            Text(
                "本区域的密钥为 SM2，XML 签名没有登记该算法，信任列表不以 XML 形式发布",
                "this region's keys are SM2, for which XML signatures have no registered algorithm; "
                "its trust list is not published as XML",
            ),
            Text("请使用 JSON 形式的信任列表。", "Use the JSON form: /v1/trust-list."),
        )
    )
