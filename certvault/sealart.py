"""What a seal's edition looks like: drawn from its data, or an uploaded picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from certvault.cipher import Cipher
from certvault.model.seal import Seal, SealVersion
from signing.formats.eseal import SealPicture
from templates.sealkinds import SEAL_KINDS
from templates.sealpicture import CheckedPicture, check_picture
from templates.seals import SealArt, check_art, draw_seal, seal_png

_OVAL_MM = (40, 30)


@dataclass(frozen=True, slots=True)
class Extras:
    """What not every seal has, kept encrypted: a person's name, words of its own, a shape, a number, a PNG."""

    person: str | None = None
    purpose: str | None = None
    shape: str | None = None
    serial: str | None = None
    picture: bytes | None = None

    def sealed(self, cipher: Cipher, seal_id: str) -> bytes | None:
        """Encrypted for its seal; None when there is nothing."""
        given = {k: v.hex() if isinstance(v, bytes) else v for k, v in asdict(self).items() if v is not None}
        return cipher.seal(f"seal:{seal_id}", json.dumps(given).encode()) if given else None

    @classmethod
    def opened(cls, cipher: Cipher, edition: SealVersion) -> Extras:
        """The extras of an edition."""
        if edition.face is None:
            return cls()
        value = json.loads(cipher.open(f"seal:{edition.seal_id}", edition.face))
        if "picture" in value:
            value["picture"] = bytes.fromhex(value["picture"])
        return cls(**value)

    def over(self, former: Extras) -> Extras:
        """These, and of ``former`` what these leave open."""
        return replace(former, **{k: v for k, v in asdict(self).items() if v is not None})


def size_mm(kind: str, extras: Extras, diameter_mm: int) -> tuple[int, int]:
    """Width and height."""
    shape = extras.shape or next(iter(SEAL_KINDS[kind].shapes))
    return _OVAL_MM if shape == "oval" else (diameter_mm, diameter_mm)


def art_of(kind: str, owner: str, name: str, diameter_mm: int, extras: Extras) -> SealArt:
    """What is drawn when there is no uploaded picture; on invoice seals the owner's code is the tax number."""
    return SealArt(
        name=extras.person or name,
        kind=kind,
        code=owner,
        diameter_mm=float(diameter_mm),
        purpose=extras.purpose or "",
        serial=extras.serial or "",
        shape=extras.shape or "",
    )


def look_of(kind: str, owner: str, name: str, diameter_mm: int, extras: Extras) -> SealArt | CheckedPicture:
    """What a stamp of an edition shows: its uploaded picture, else what is drawn."""
    if extras.picture is not None:
        return uploaded(kind, diameter_mm, extras)
    return art_of(kind, owner, name, diameter_mm, extras)


def checked(kind: str, owner: str, name: str, diameter_mm: int, extras: Extras) -> Extras:
    """The extras, a picture written anew. RefusedError for what cannot be drawn or shown."""
    art = art_of(kind, owner, name, diameter_mm, extras)
    if not extras.picture:  # empty: back to what is drawn
        draw_seal(art)
        return replace(extras, picture=None)
    check_art(art)  # an uploaded picture may show what cannot be drawn
    return replace(extras, picture=uploaded(kind, diameter_mm, extras).png)


def uploaded(kind: str, diameter_mm: int, extras: Extras) -> CheckedPicture:
    """The uploaded picture at its size."""
    width, height = size_mm(kind, extras, diameter_mm)
    return check_picture(extras.picture or b"", width_mm=width, height_mm=height)


def picture_of(seal: Seal, edition: SealVersion, extras: Extras) -> SealPicture:
    """The picture as it stands in the seal's structure: PNG with its size in millimetres."""
    width, height = size_mm(seal.kind, extras, edition.diameter_mm)
    png = extras.picture
    if png is None:
        png = seal_png(art_of(seal.kind, seal.owner, edition.name, edition.diameter_mm, extras))
    return SealPicture("PNG", png, width, height)
