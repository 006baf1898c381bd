"""The picture of a seal's edition is what the licenses bear, drawn or uploaded, and they are as good with it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pypdfium2
from PIL import Image, ImageDraw

from certvault.bootstrap import Vault
from certvault.model.actor import LOCAL_OPERATOR
from certvault.sealart import Extras
from certvault.seals import Wanted

MakeVault = Callable[..., Vault]


def _uploaded() -> bytes:
    """A red disc with a hole, which no drawn seal is."""
    picture = Image.new("RGBA", (600, 600), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((4, 4, 595, 595), fill=(190, 20, 30, 255))
    ImageDraw.Draw(picture).ellipse((200, 200, 400, 400), fill=(0, 0, 0, 0))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _change(vault: Vault, wanted: Wanted) -> None:
    seal = vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    vault.seals.change(seal, actor=LOCAL_OPERATOR, wanted=wanted)
    for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
        step(seal, LOCAL_OPERATOR)


def _red(pdf: bytes) -> float:
    """The red part of the lower right quarter of the page, where this type has its seal."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    page = document[0].render(scale=1).to_pil().convert("RGB")
    part = page.crop((page.width // 2, page.height // 2, page.width, page.height))
    colours = part.getcolors(1 << 22) or []
    return sum(n for n, (r, g, b) in colours if r > 150 and g < 90 and b < 90) / (part.width * part.height)


def test_licenses_bear_the_picture_of_the_edition_at_work(
    make_vault: MakeVault, example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault(keys="file")

    def issue() -> bytes:
        made = vault.issuing.issue("food-business-license", example("food-business-license"), actor=LOCAL_OPERATOR)
        verdict = vault.verification.verify(made.pdf)
        assert (verdict.conclusion.value, verdict.integrity.value) == ("VALID", "INTACT")
        return made.pdf

    drawn = issue()
    # A name in a script that is not drawn: only the uploaded picture makes it possible.
    _change(vault, Wanted(name="བོད་ལྗོངས", extras=Extras(picture=_uploaded())))
    uploaded = issue()
    assert b"/Uploaded" in uploaded
    assert _red(uploaded) > 2 * _red(drawn)
    _change(vault, Wanted(name="某某市行政审批局", extras=Extras(picture=b"", serial="4102000123456")))
    again = issue()
    assert b"/Uploaded" not in again
    assert _red(again) < 1.5 * _red(drawn)
