"""Seals as people look at them: pictures of editions, previews of what is asked for, the steps that are open."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from certvault.errors import ConflictError
from certvault.model import seal as life
from certvault.model.seal import Doer, Life, SealState, SealVersion, Step
from certvault.sealart import Extras, art_of, checked, picture_of, size_mm, uploaded
from certvault.seals import Seals
from templates.seals import seal_png
from verify.formats.refusal import Refusal

PREVIEW_DPI, SCREEN_DPI = 300, 200
_ANYBODY = Doer("", alone=True)


@dataclass(frozen=True, slots=True)
class Preview:
    """How a seal would look: PNG with its size in millimetres. ``notes`` are about an uploaded picture."""

    png: bytes
    width_mm: int
    height_mm: int
    notes: tuple[Refusal, ...] = ()

    @property
    def base64(self) -> str:
        """The PNG as text, for a data address."""
        return base64.b64encode(self.png).decode("ascii")


def picture(seals: Seals, known: Life, edition: SealVersion) -> Preview:
    """The picture of one edition, as sharp as a screen shows it; an uploaded one as it is."""
    extras = seals.extras(edition)
    if extras.picture is None:
        art = art_of(known.seal.kind, known.seal.owner, edition.name, edition.diameter_mm, extras)
        return Preview(seal_png(art, SCREEN_DPI), *size_mm(known.seal.kind, extras, edition.diameter_mm))
    shown = picture_of(known.seal, edition, extras)
    return Preview(shown.data, shown.width_mm, shown.height_mm)


def preview(kind: str, owner: str, name: str, diameter_mm: int, extras: Extras) -> Preview:
    """How a seal that is asked for would look. RefusedError for what cannot be drawn or shown."""
    extras = checked(kind, owner, name, diameter_mm, extras)
    width, height = size_mm(kind, extras, diameter_mm)
    if extras.picture is not None:
        return Preview(extras.picture, width, height, uploaded(kind, diameter_mm, extras).notes)
    return Preview(seal_png(art_of(kind, owner, name, diameter_mm, extras), PREVIEW_DPI), width, height)


def open_steps(known: Life) -> tuple[Step, ...]:
    """The steps that the state of a seal lets somebody take; whether a certain person may is another question."""
    found = [step for step, take in _tries().items() if _allowed(take, known)]
    if known.seal.state in (SealState.ACTIVE, SealState.SUSPENDED) and known.waiting is None:
        found.append(Step.CHANGE)
    return tuple(s for s in Step if s in found)


def _tries() -> dict[Step, Callable[..., Life]]:
    return {
        Step.APPROVE: life.approve,
        Step.REJECT: life.reject,
        Step.MAKE: lambda *given: life.make(*given, key_id=""),
        Step.ACTIVATE: life.activate,
        Step.SUSPEND: life.suspend,
        Step.RESUME: life.resume,
        Step.RETIRE: life.retire,
        Step.DESTROY: life.destroy,
    }


def _allowed(take: Callable[..., Life], known: Life) -> bool:
    try:
        take(known, _ANYBODY, known.seal.since, "")
    except ConflictError:
        return False
    return True
