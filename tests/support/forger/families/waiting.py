"""Shadow preparation: signed and untouched, with content that waits to be revealed. Genuine, with a doubt.

Mainka, Mladenov, Rohlmann: "Shadow Attacks" (NDSS 2021), 4 and 6 (detecting the first stage).
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support.forger.bases import draw, sign
from tests.support.forger.families import shadow
from tests.support.forger.registry import Expected, forgery
from tests.support.forger.writer import Builder

_PREPARED: dict[str, Callable[[], Builder]] = {
    "words-under-a-picture": shadow.cover_image,
    "words-under-a-form": shadow.cover_form,
    "words-under-an-annotation": shadow.cover_annotation,
    "words-under-a-field": shadow.cover_widget,
    "second-page-tree": shadow.two_trees,
    "spare-font": shadow.spare_font,
    "spare-content": shadow.spare_content,
    "words-in-a-hidden-layer": shadow.layered,
    "value-under-another-look": shadow.value_under_look,
    "empty-button-over-words": shadow.cover_field,
    "hidden-stamp": shadow.hidden_note,
    "script-on-opening": shadow.script_waiting,
    "white-words": shadow.white_text,
    "field-on-no-page": shadow.detached_field,
}


@forgery("shadow-preparation", cases=_PREPARED, expected=Expected.DOUBT)
def prepared_and_signed(make: Callable[[], Builder]) -> bytes:
    """Nothing was changed after signing, but something waits that a later harmless-looking change would reveal."""
    return sign(make().write())


@forgery("shadow-preparation", expected=Expected.DOUBT)
def two_objects_of_one_number() -> bytes:
    """The signed file holds two objects of one number, only one of them listed (NDSS 2021, 4.3)."""
    doc = draw()
    spare = doc.objects[5].replace(b"100.00", b"900.00")
    doc.objects[5] = spare + b"\nendobj\n5 0 obj\n" + doc.objects[5]
    pdf = doc.write()
    first = pdf.index(b"5 0 obj")
    second = pdf.index(b"5 0 obj", first + 5)
    return sign(pdf.replace(b"%010d 00000 n\r\n" % first, b"%010d 00000 n\r\n" % second))
