"""What ``--trust`` names: certificates, a region's anchor with its trust list beside it, or an offline kit.

What a file is its content says, not its name.

- Certificates (PEM, DER, or a folder of them). A self-issued one becomes an anchor, and so does an authority whose
  issuer is not among those given; anything else may stand in between, unless there would be no anchor: then all were
  chosen as such. Nothing tells who may issue what (``REMIT_UNKNOWN``).
- A region's anchor: its roots count, for what this region's trust list says. The list is found among what is given
  and, failing that, in the anchor's folder; the newest one is taken, by the rules of :mod:`verify.trust.lists`, and one
  that does not count is refused, not passed over. Without any list the roots count as certificates do. There is no
  home region then, so no agreements, and nothing is said of recognition.
- An offline kit: :mod:`verify.trust.kits`. Its region is home. An anchor or a list given beside it pins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from verify.evidence import NO_EVIDENCE, Evidence
from verify.formats.anchor import Anchor, AnchorError, begins_as_anchor, read_anchor
from verify.formats.kit import MAX_BYTES as MAX_KIT
from verify.formats.kit import KitError, begins_as_kit
from verify.formats.refusal import Text
from verify.formats.trustlist import MAX_BYTES as MAX_LIST
from verify.formats.trustlist import TrustListError, begins_as_trust_list, unverified_trust_list
from verify.messages import sentence
from verify.trust.anchors import TrustStore
from verify.trust.kits import trust_of_kit
from verify.trust.lists import Adopted, AdoptionError, Rules, offer_anchors, offer_list
from verify.trust.regions import Regions, with_regions

MAX_CERTIFICATE_FILE = 1_000_000
MAX_FILES_IN_FOLDER = 10_000
_SUFFIXES = {".pem", ".crt", ".cer", ".der", ".cert"}
_ENOUGH = 100_000
"""So many bytes of a file tell what it is."""


class SourceError(ValueError):
    """What was given does not count. ``code`` is a finding's, or ``TRUST_UNREADABLE``; ``text`` says it to a person and
    begins with the path."""

    def __init__(self, path: Path, code: str, text: Text) -> None:
        super().__init__(f"{path}: {code}: {text.en}")
        self.code = code
        self.text = Text(f"{path}：{text.zh}（{code}）", f"{path}: {text.en} ({code})")


def _refused(path: Path, code: str, **params: Any) -> SourceError:
    """The refusal in the words of a finding."""
    return SourceError(path, code, Text(sentence(code, "zh", params), sentence(code, "en", params)))


def _unreadable(path: Path, zh: str, en: str) -> SourceError:
    return SourceError(path, "TRUST_UNREADABLE", Text(zh, en))


@dataclass(frozen=True, slots=True)
class Given:
    """The trust that the caller named, and the evidence that came with it."""

    trust: TrustStore
    evidence: Evidence = NO_EVIDENCE


@dataclass(slots=True)
class _Found:
    """What the files hold. ``looked``: the anchors that were named as files, beside which a list may lie."""

    certificates: list[bytes] = field(default_factory=list)
    anchors: list[tuple[Path, Anchor]] = field(default_factory=list)
    lists: list[tuple[Path, bytes]] = field(default_factory=list)
    kits: list[tuple[Path, bytes]] = field(default_factory=list)
    looked: list[Path] = field(default_factory=list)


def read_sources(paths: Sequence[Path], *, allow_example: bool = False, at: datetime | None = None) -> Given:
    """Read what ``paths`` name. ``at`` is now: lists and kits are taken as of that moment, whatever is judged by them.

    Raises OSError for a path that cannot be read, and SourceError for a file that is none of these or does not count.
    """
    found = _Found()
    for path in paths:
        _read_path(Path(path), found)
    certificates = _of_certificates(list(dict.fromkeys(found.certificates)), allow_example)
    if not found.anchors and not found.lists and not found.kits:
        return Given(certificates)
    if at is None:
        raise ValueError("trust lists and kits are taken as of a moment, and none was given")
    return _of_regions(found, certificates, Rules(at=at, allow_example=True, samples=True))


def _of_certificates(given: list[bytes], allow_example: bool) -> TrustStore:
    anchors = _chosen(given) or given
    return TrustStore(tuple(anchors), tuple(d for d in given if d not in anchors), None, allow_example)


def _of_regions(found: _Found, certificates: TrustStore, rules: Rules) -> Given:
    """Trust by anchors, lists and kit. Example roots may sign lists here: verdicts say what rests on them."""
    if len(found.kits) > 1:
        raise _refused(found.kits[1][0], "KIT_SECOND")
    states = _anchored(found.anchors, rules)
    lists = _by_region(found.lists)
    if not found.kits:
        lonely = [r for r in lists if r not in states]
        if lonely:
            raise _refused(lists[lonely[0]][0][0], "ANCHOR_MISSING", region=lonely[0])
        _look_beside(found, states, lists)
    for region in states:
        for path, token in lists.get(region, ()):
            states[region] = _named(path, offer_list, states[region], token, rules)
    if not found.kits:
        return Given(_homeless(certificates, states))
    path, data = found.kits[0]
    pins = {r: [t for _, t in those] for r, those in lists.items() if r not in states}
    kit = _named(path, trust_of_kit, data, rules, states, pins)
    return Given(_together(kit.trust, certificates), kit.evidence)


def _together(trust: TrustStore, certificates: TrustStore) -> TrustStore:
    """The kit's trust, and the certificates given beside it as if they were its region's."""
    return replace(
        trust,
        anchors=tuple(dict.fromkeys((*trust.anchors, *certificates.anchors))),
        certificates=tuple(dict.fromkeys((*trust.certificates, *certificates.certificates))),
        allow_example=certificates.allow_example,
    )


def _homeless(certificates: TrustStore, states: dict[str, Adopted]) -> TrustStore:
    """Regions side by side with the certificates given. None of them is home."""
    roots = [c for s in states.values() if s.list is None for c in s.anchor.certificates]
    own = replace(certificates, anchors=tuple(dict.fromkeys((*certificates.anchors, *roots))))
    known = tuple(k for s in states.values() if (k := s.known()) is not None)
    return with_regions(own, Regions(home="", known=known)) if known else own


def _anchored(given: Sequence[tuple[Path, Anchor]], rules: Rules) -> dict[str, Adopted]:
    """The state of each region under the newest of its anchors, which the older ones vouch for."""
    states: dict[str, Adopted] = {}
    for path, anchor in sorted(given, key=lambda pair: pair[1].sequence):
        held = states.get(anchor.region)
        states[anchor.region] = Adopted(anchor) if held is None else _named(path, offer_anchors, held, [anchor], rules)
    return states


def _look_beside(found: _Found, states: dict[str, Adopted], lists: dict[str, list[tuple[Path, bytes]]]) -> None:
    """Take the lists that lie in the folders of anchors for which no list was given."""
    folders = {p.resolve().parent for p in found.looked}
    beside = _Found()
    for folder in sorted(folders):
        _read_folder(folder, beside, lists_only=True)
    for region, those in _by_region(beside.lists).items():
        if region in states and region not in lists:
            lists[region] = those


def _by_region(given: Sequence[tuple[Path, bytes]]) -> dict[str, list[tuple[Path, bytes]]]:
    """The lists of each region, the newest alone where there are several; two of one number both stay."""
    read: dict[str, list[tuple[int, Path, bytes]]] = {}
    for path, token in given:
        listed = _named(path, unverified_trust_list, token)[0]
        read.setdefault(listed.region, []).append((listed.sequence, path, token))
    newest = {region: max(n for n, _, _ in those) for region, those in read.items()}
    return {r: [(p, t) for n, p, t in those if n == newest[r]] for r, those in read.items()}


def _named(path: Path, work: Any, *arguments: Any) -> Any:
    """What ``work`` gives; its refusal is told with the path."""
    try:
        return work(*arguments)
    except (AdoptionError, KitError) as error:
        raise _refused(path, error.code, **error.params) from error
    except TrustListError as error:
        raise _refused(path, "TRUST_LIST_BROKEN", reason=str(error)) from error


def _read_path(path: Path, found: _Found) -> None:
    if path.is_dir():
        _read_folder(path, found)
        return
    data = _content(path)
    if begins_as_kit(data):
        found.kits.append((path, data))
    elif begins_as_anchor(data):
        found.anchors.append((path, _anchor(path, data)))
        found.looked.append(path)
    elif begins_as_trust_list(data):
        found.lists.append((path, data))
    else:
        found.certificates += _certificates_in(path, data)


def _read_folder(folder: Path, found: _Found, *, lists_only: bool = False) -> None:
    """What the files of a folder hold; those that are nothing of the kind are passed over, unless by their names they
    are certificates."""
    for path in sorted(p for p in folder.iterdir() if p.is_file())[:MAX_FILES_IN_FOLDER]:
        head = _head(path)
        if begins_as_trust_list(head):
            found.lists.append((path, _content(path)))
        elif lists_only:
            continue
        elif begins_as_kit(head):
            found.kits.append((path, _content(path)))
        elif begins_as_anchor(head):
            found.anchors.append((path, _anchor(path, _content(path))))
        elif path.suffix.lower() in _SUFFIXES:
            found.certificates += _certificates_in(path, _content(path))


def _head(path: Path) -> bytes:
    """So many bytes as it takes to see what the file is; none of a file that cannot be read, as nobody named it."""
    try:
        with path.open("rb") as stream:
            first = stream.read(16)
            return first + stream.read(_ENOUGH) if first.lstrip()[:1] in (b"e", b"P", b"{") else first
    except OSError:
        return b""


def _content(path: Path) -> bytes:
    """The file's bytes; ValueError for more than a file of its kind may have."""
    with path.open("rb") as stream:
        head = stream.read(_ENOUGH)
        kind = MAX_KIT if begins_as_kit(head) else MAX_LIST if begins_as_trust_list(head) else MAX_CERTIFICATE_FILE
        data = head + stream.read(kind + 1 - len(head))
    if len(data) > kind:
        raise _unreadable(path, f"超过 {kind} 字节", f"larger than {kind} bytes")
    return data


def _anchor(path: Path, data: bytes) -> Anchor:
    try:
        return read_anchor(data)
    except AnchorError as error:
        raise _refused(path, "ANCHOR_BROKEN", reason=str(error)) from error


def _certificates_in(path: Path, data: bytes) -> list[bytes]:
    from asn1crypto import pem, x509

    try:
        ders = (
            [der for kind, _, der in pem.unarmor(data, multiple=True) if kind == "CERTIFICATE"]
            if pem.detect(data)
            else [data]
        )
        for der in ders:
            _ = x509.Certificate.load(der, strict=True).subject.native
    except (ValueError, TypeError, KeyError) as error:
        zh, en = "不是证书、锚、信任列表或离线包", "not a certificate, anchor, trust list or kit"
        raise _unreadable(path, zh, en) from error
    if not ders:
        raise _unreadable(path, "其中没有证书", "holds no certificate")
    return ders


def _chosen(given: Sequence[bytes]) -> list[bytes]:
    """Those that stand for themselves: self-issued ones, and authorities that nobody else given has issued."""
    from asn1crypto import x509

    read = [x509.Certificate.load(der) for der in given]
    subjects = {c.subject.dump() for c in read}
    return [
        der
        for der, c in zip(given, read, strict=True)
        if c.issuer.dump() == c.subject.dump() or (_is_authority(c) and c.issuer.dump() not in subjects)
    ]


def _is_authority(certificate: Any) -> bool:
    try:
        return bool(certificate.ca)
    except (ValueError, TypeError):
        return False
