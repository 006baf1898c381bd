"""Optional content switched: what the signer saw is turned off, what was off is turned on (ISO 32000-2 8.11)."""

from __future__ import annotations

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed

_FAMILY = "optional-content"
_ALL = ("approval", "p1", "p2", "p3")

_DEFAULTS = {
    "off": b"<< /Order [35 0 R] /OFF [35 0 R 36 0 R] >>",
    "on": b"<< /Order [35 0 R] /ON [35 0 R 36 0 R] >>",
    "base-state": b"<< /BaseState /OFF >>",
    "usage": b"<< /ON [35 0 R] /OFF [36 0 R] /AS [<< /Event /Print /Category [/Print] /OCGs [35 0 R] >>] >>",
    "locked": b"<< /ON [35 0 R] /OFF [36 0 R] /Locked [35 0 R 36 0 R] >>",
    "intent": b"<< /ON [35 0 R] /OFF [36 0 R] /Intent /Design >>",
}


@forgery(_FAMILY, *_ALL, cases=_DEFAULTS)
def default_configuration_changed(doc: Base, value: bytes) -> bytes:
    """The default configuration shows other layers than were signed (ISO 32000-2 8.11.4.3)."""
    return doc.update({"layers": changed(doc.body("layers"), D=value)})


@forgery(_FAMILY, *_ALL)
def configuration_added(doc: Base) -> bytes:
    """A further configuration is added, with the layers the other way round (ISO 32000-2 8.11.4.2)."""
    config = b"[<< /Name (print) /ON [36 0 R] /OFF [35 0 R] >>]"
    return doc.update({"layers": changed(doc.body("layers"), Configs=config)})


@forgery(_FAMILY, *_ALL)
def properties_removed(doc: Base) -> bytes:
    """/OCProperties is taken from the catalog: every layer shows (ISO 32000-2 8.11.4.2)."""
    return doc.update({"catalog": changed(doc.body("catalog"), OCProperties=None)})


@forgery(_FAMILY, *_ALL)
def layer_forgotten(doc: Base) -> bytes:
    """A group is left out of /OCGs: its state is undefined (ISO 32000-2 8.11.4.2)."""
    return doc.update({"layers": changed(doc.body("layers"), OCGs=b"[36 0 R]")})


@forgery(_FAMILY, *_ALL, cases={"usage": b"<< /Print << /PrintState /OFF >> /View << /ViewState /OFF >> >>"})
def group_usage_changed(doc: Base, usage: bytes) -> bytes:
    """The group says that it is not to be printed or viewed (ISO 32000-2 8.11.4.4)."""
    return doc.update({"layer1": changed(doc.body("layer1"), Usage=usage)})


@forgery(_FAMILY, *_ALL)
def membership_instead_of_group(doc: Base) -> bytes:
    """The group becomes a membership dictionary that is visible when the other is (ISO 32000-2 8.11.2.2)."""
    return doc.update({"layer1": b"<< /Type /OCMD /OCGs [36 0 R] /P /AllOn >>"})


@forgery(_FAMILY, *_ALL)
def page_object_put_into_a_layer(doc: Base) -> bytes:
    """An XObject of the page is put into a layer that is off (ISO 32000-2 8.11.3.3)."""
    return doc.update({"image": changed(doc.body("image"), OC=doc.ref("layer2"))})


@forgery(_FAMILY, *_ALL)
def layers_swapped_in_resources(doc: Base) -> bytes:
    """The page's /Properties name the other group (ISO 32000-2 8.11.3.2)."""
    body = doc.body("page").replace(b"/Layer1 35 0 R /Layer2 36 0 R", b"/Layer1 36 0 R /Layer2 35 0 R")
    return doc.update({"page": body})
