"""This region's anchors: the roots under which its trust lists are signed, number after number.

The first anchor is the root that is active when somebody asks. When the root was rolled over since, or an operator
changes threshold or roots, the next one is begun: its statement is stored, then signed by a key for trust lists under
each of our own roots in it and in the one before. It counts, and is served, once as many roots vouch as the state
machine of followers asks (:mod:`verify.trust.lists`): with a threshold above one, other vaults whose roots are in the
anchor vouch too. Until then lists are signed under the former anchor.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from certvault.certification import ISSUING, ROOT, Certification
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import ConcurrentChangeError, DuplicateRowError, conflict, forbidden
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.keys import VAULT_OWNER, CertificateState, KeyRecord, KeyState, event
from certvault.model.region import OwnAnchor
from certvault.pki import Pki
from certvault.settings import Settings
from signing.formats.trustlist import vouch_for
from signing.keys import KeyPurpose
from verify.formats.anchor import MAX_SIGNATURES, Anchor, AnchorError, anchor_from_json
from verify.formats.refusal import RefusedError, refuse
from verify.trust.lists import Adopted, AdoptionError, Rules, offer_anchor, vouchers


@dataclass(frozen=True, slots=True)
class ListKey:
    """A key for trust lists with its chain (DER, the key's certificate first, without the root) and the root."""

    key: KeyRecord
    chain: tuple[bytes, ...]
    root: bytes


class Anchors:
    """Keeps this region's anchors."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        pki: Pki,
        certification: Certification,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._certification = certification
        self._settings = settings
        self._clock = clock

    def current(self) -> Anchor:
        """The newest anchor that counts. A rollover of the root since is followed up first."""
        return self._read(self._kept_up()[0])

    def all(self) -> list[Anchor]:
        """Every anchor that ever counted, oldest first: a follower walks them."""
        self._kept_up()
        return [self._read(r) for r in self._rows() if r.complete_at is not None]

    def waiting(self) -> Anchor | None:
        """The next anchor while it waits for other roots to vouch."""
        waiting = self._kept_up()[1]
        return None if waiting is None else self._read(waiting)

    def change(
        self,
        actor: Actor,
        *,
        threshold: int | None = None,
        add: Sequence[bytes] = (),
        admits: tuple[str, ...] | None = None,
    ) -> Anchor:
        """Begin the next anchor with another threshold, with roots of other vaults (DER) as well, or with others that
        admit regions (a hub's).

        It counts once enough roots vouch, the added ones among them. RefusedError (ANCHOR_WRONG) for an impossible one.
        """
        _require(actor)
        current, waiting = self._kept_up()
        base = self._read(waiting or current)
        certificates = tuple(dict.fromkeys((*base.certificates, *add)))
        wanted = replace(
            base,
            certificates=certificates,
            threshold=base.threshold if threshold is None else threshold,
            admits=base.admits if admits is None else admits,
            sequence=current.sequence + 1,
            signatures=(),
        )
        try:
            anchor_from_json(wanted.to_json())
        except AnchorError as error:
            raise _wrong(
                f"锚不成立：证书有误或重复，或门限大于根的数目（{error}）", f"no such anchor can be: {error}"
            ) from error
        self._begin(wanted, waiting, actor.subject)
        return self._vouched(current, actor.subject)

    def vouch(self, offered: Anchor, actor: Actor) -> Anchor:
        """Vouch for the next anchor of another region in which one of our roots stands.

        For each region and number it vouches for one anchor only. RefusedError: ANCHOR_WRONG, ConflictError:
        ANCHOR_EQUIVOCATED.
        """
        _require(actor)
        if offered.region == self._settings.region and not self._settings.is_hub:  # a hub's offline half has its region
            raise _wrong("这是本区域的锚", "this is an anchor of our own region")
        roots = [r for r in self._pki.roots() if r in offered.certificates]
        if not roots:
            raise _wrong("本库的根不在该锚中", "none of our roots is in this anchor")
        signatures = offered.signatures
        name, digest = f"vouched:{offered.region}:{offered.sequence}", _digest(offered)
        with self._database.writing() as uow:
            known = uow.view.fact(name)
            if known is not None and known != digest:
                raise _vouched_for_another(offered)
            told = event("ANCHOR_VOUCHED", f"region:{offered.region}", actor.subject, sequence=offered.sequence)
            uow.set_fact(name, digest, told)
        for root in roots:
            if not vouchers(offered, [root], self._rules()):
                signatures = (*signatures, self._signature(offered, root))
        return replace(offered, signatures=signatures)

    def take(self, offered: Anchor, actor: Actor) -> Anchor:
        """Take in who vouched for the next anchor elsewhere; returns it as it stands now.

        ConflictError (ANCHOR_OTHER) when that is not the one that waits here.
        """
        _require(actor)
        current, waiting = self._kept_up()
        if waiting is None or offered.statement() != self._read(waiting).statement():
            raise conflict(
                "ANCHOR_OTHER",
                "anchor",
                "该锚不是本库等待担保的锚",
                "this is not the anchor that waits for vouchers here",
                remedy_zh="请以 certvault region anchor --next 写出等待担保的锚，并由其他库担保。",
                remedy_en="Write the one that waits with certvault region anchor --next, and have others vouch for it.",
            )
        mine = self._read(waiting)
        signatures = mine.signatures
        for signature in offered.signatures[:MAX_SIGNATURES]:
            alone = replace(mine, signatures=(signature,))
            fresh = vouchers(alone, mine.certificates, self._rules())
            if fresh and not set(fresh) <= set(vouchers(mine, mine.certificates, self._rules())):
                signatures = (*signatures, signature)
                mine = replace(mine, signatures=signatures)
        self._save(waiting, mine, actor.subject)
        return self._vouched(current, actor.subject)

    def list_key(self, anchor: Anchor | None = None) -> ListKey:
        """The newest key for trust lists under a root of ``anchor``, the current one by default; made when there is
        none."""
        anchor = anchor or self.current()
        own = [r for r in self._pki.roots() if r in anchor.certificates]
        found = [k for k in self._list_keys() if k.root in own]
        if found:
            return found[-1]
        return self._new_list_key(own[-1])

    def _kept_up(self) -> tuple[OwnAnchor, OwnAnchor | None]:
        """The newest anchor that counts, and the one that waits; a new active root is followed up."""
        self._keyring.refresh()
        rows = self._rows()
        if not rows:
            rows = [self._first()]
        current, waiting = _standing(rows)
        root = self._keyring.certificate_der(self._keyring.active_ca(ROOT))
        newest = self._read(waiting or current)
        if root not in newest.certificates:
            others = tuple(c for c in newest.certificates if c not in self._pki.roots())
            begun = replace(newest, certificates=(root, *others), sequence=current.sequence + 1, signatures=())
            begun = replace(begun, admits=_still_admitting(newest, begun, root))
            self._begin(begun, waiting, VAULT_OWNER)
        elif waiting is None:
            return current, None
        self._vouched(current, VAULT_OWNER)
        return _standing(self._rows())

    def _first(self) -> OwnAnchor:
        root = self._keyring.certificate_der(self._keyring.active_ca(ROOT))
        anchor = Anchor(self._settings.region, (root,), 1, 1, self._settings.name)
        at = self._clock.now()
        try:
            with self._database.writing() as uow:
                made = OwnAnchor(1, _text(anchor), at, complete_at=at)
                return uow.own_anchors.save(made, event("ANCHOR_MADE", "anchor:1", VAULT_OWNER))
        except DuplicateRowError:  # another process asked at the same moment
            return self._rows()[0]

    def _begin(self, anchor: Anchor, waiting: OwnAnchor | None, actor: str) -> None:
        """Store the statement of the next anchor; one that waited and nobody was served gives way."""
        row = OwnAnchor(anchor.sequence, _text(anchor), self._clock.now(), revision=0)
        if waiting is not None:
            row = replace(row, revision=waiting.revision)
        told = event("ANCHOR_BEGUN", f"anchor:{anchor.sequence}", actor, roots=len(anchor.certificates))
        try:
            with self._database.writing() as uow:
                uow.own_anchors.save(row, told)
        except (DuplicateRowError, ConcurrentChangeError):  # another process was quicker
            return

    def _vouched(self, current: OwnAnchor, actor: str) -> Anchor:
        """The anchor that waits, signed under each of our roots that it needs, and whether that was enough."""
        row = self._rows()[-1]
        anchor, before = self._read(row), self._read(current)
        if row.sequence == current.sequence or row.complete_at is not None:
            return anchor
        for root in self._pki.roots():
            needed = root in anchor.certificates or root in before.certificates
            if needed and not vouchers(anchor, [root], self._rules()):
                anchor = replace(anchor, signatures=(*anchor.signatures, self._signature(anchor, root)))
        self._save(row, anchor, actor)
        return anchor

    def _save(self, row: OwnAnchor, anchor: Anchor, actor: str) -> None:
        before = next(r for r in self._rows() if r.sequence == row.sequence - 1)
        try:
            offer_anchor(Adopted(self._read(before)), anchor, self._rules())
            complete_at = self._clock.now()
        except AdoptionError:
            complete_at = None
        kind = "ANCHOR_SIGNED" if complete_at is None else "ANCHOR_MADE"
        told = event(kind, f"anchor:{row.sequence}", actor, signatures=len(anchor.signatures))
        changed = replace(row, anchor=_text(anchor), complete_at=complete_at)
        if changed == row:
            return
        with contextlib.suppress(ConcurrentChangeError), self._database.writing() as uow:  # another did the same
            uow.own_anchors.save(changed, told)

    def _signature(self, anchor: Anchor, root: bytes) -> str:
        """A signature by a key for trust lists under ``root``, which is one of ours."""
        under = [k for k in self._list_keys() if k.root == root]
        chosen = under[-1] if under else self._new_list_key(root)
        return vouch_for(anchor, signer=self._keyring.signer(chosen.key), chain=chosen.chain)

    def _list_keys(self) -> list[ListKey]:
        """The keys for trust lists that may sign now, oldest first."""
        at, found = self._clock.now(), []
        for key in self._keyring.all(KeyPurpose.TRUST_LIST):
            certificate = self._keyring.certificate_or_none(key)
            if key.state is KeyState.DESTROYED or certificate is None or certificate.der is None:
                continue
            if certificate.state is CertificateState.ISSUED and certificate.not_before <= at < certificate.not_after:
                found.append(self._with_chain(key))
        return found

    def _with_chain(self, key: KeyRecord) -> ListKey:
        above = self._pki.above(key)
        return ListKey(key, (self._keyring.certificate_der(key), *above[:-1]), above[-1])

    def _new_list_key(self, root: bytes) -> ListKey:
        """A key for trust lists under a root that has none, by the newest issuing CA below it."""
        below = [
            k
            for k in self._keyring.all(KeyPurpose.CA)
            if k.name.rpartition("-")[0] == ISSUING
            and k.state is not KeyState.DESTROYED
            and self._keyring.certificate_or_none(k) is not None
            and self._pki.above(k)[-1] == root
        ]
        if not below:
            raise _wrong("该根之下没有签发机构", "there is no issuing authority under that root")
        made = self._certification.new_leaf(KeyPurpose.TRUST_LIST, self._clock.now(), VAULT_OWNER, ca=below[-1])
        self._keyring.refresh()
        return self._with_chain(made)

    def _rules(self) -> Rules:
        crls = tuple(self._pki.crl(name) for name in self._pki.ca_names())
        return Rules(self._clock.now(), allow_example=True, crls=crls)

    def _rows(self) -> list[OwnAnchor]:
        with self._database.reading() as view:
            return sorted(view.own_anchors.all(), key=lambda r: r.sequence)

    @staticmethod
    def _read(row: OwnAnchor) -> Anchor:
        return anchor_from_json(json.loads(row.anchor))


def _standing(rows: Sequence[OwnAnchor]) -> tuple[OwnAnchor, OwnAnchor | None]:
    """The newest that counts, and the one that waits."""
    complete = [r for r in rows if r.complete_at is not None]
    return complete[-1], rows[-1] if rows[-1].complete_at is None else None


def _still_admitting(former: Anchor, begun: Anchor, root: bytes) -> tuple[str, ...]:
    """Who admits regions under the next anchor: a root of ours that gives way hands that on to the one that follows."""
    kept = tuple(d for d in former.admits if d in begun.digests())
    gone = len(kept) < len(former.admits)
    return tuple(dict.fromkeys((*kept, hashlib.sha256(root).hexdigest()))) if gone else kept


def _text(anchor: Anchor) -> str:
    return json.dumps(anchor.to_json(), ensure_ascii=False)


def _digest(anchor: Anchor) -> str:
    return hashlib.sha256(anchor.statement()).hexdigest()


def _require(actor: Actor) -> None:
    if not actor.has(Role.OPERATOR):
        raise forbidden(Role.OPERATOR)


def _wrong(zh: str, en: str) -> RefusedError:
    return refuse(
        "ANCHOR_WRONG",
        "anchor",
        zh,
        en,
        remedy_zh="请核对锚文件与所给的证书和门限。",
        remedy_en="Check the anchor's file, the certificates and the threshold.",
    )


def _vouched_for_another(offered: Anchor) -> Exception:
    return conflict(
        "ANCHOR_EQUIVOCATED",
        "anchor",
        f"本库已为区域 {offered.region} 的另一个第 {offered.sequence} 号锚担保",
        f"another anchor of region {offered.region} with the number {offered.sequence} was vouched for here",
        remedy_zh="请与该区域核实。一个编号只能有一个锚。",
        remedy_en="Ask that region: one number has one anchor.",
    )
