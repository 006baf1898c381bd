"""Name trees, attachments, metadata: what the file carries or leads to besides its pages (ISO 32000-2 7.7.4, 7.11)."""

from __future__ import annotations

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed, stream

_TREE, _FILE, _META = "name-tree", "embedded-file", "metadata-swap"
_ALL = ("approval", "p1", "p2", "p3")
_OTHER = b"<< /Type /Filespec /F (terms.txt) /UF (terms.txt) /AFRelationship /Data /EF << /F %d 0 R >> >>"
_FILE_BODY = stream(b"Payment within 3 days.\n", b"/Type /EmbeddedFile")


@forgery(_FILE, *_ALL)
def file_overwritten(doc: Base) -> bytes:
    """The attachment's stream holds another text (ISO 32000-2 7.11.4)."""
    return doc.update({"file": _FILE_BODY})


@forgery(_FILE, *_ALL)
def file_swapped_in_its_specification(doc: Base) -> bytes:
    """The file specification leads to another stream (ISO 32000-2 7.11.3)."""
    n = doc.free
    return doc.update({"filespec": _OTHER % n, n: _FILE_BODY})


@forgery(
    _FILE,
    *_ALL,
    cases={
        "F": {"F": b"(other.txt)"},
        "UF": {"UF": b"(other.txt)"},
        "relationship": {"AFRelationship": b"/Source"},
        "description": {"Desc": b"(new terms)"},
        "one-of-two": {"EF": b"<< /F 41 0 R /UF 5 0 R >>"},
        "platform": {"EF": b"<< /F 41 0 R /Unix 5 0 R >>"},
        "url": {"FS": b"/URL", "F": b"(http://127.0.0.1/)"},
    },
)
def specification_changed(doc: Base, change: dict[str, bytes]) -> bytes:
    """The attachment's name or description is changed (ISO 32000-2 7.11.3)."""
    return doc.update({"filespec": changed(doc.body("filespec"), **change)})


@forgery(_FILE, *_ALL)
def file_added(doc: Base) -> bytes:
    """Another attachment is put into the tree (ISO 32000-2 7.11.4)."""
    n = doc.free
    names = b"<< /EmbeddedFiles << /Names [(more.txt) %d 0 R (terms.txt) 40 0 R] >> >>" % n
    return doc.update({"names": names, n: _OTHER % (n + 1), n + 1: _FILE_BODY})


@forgery(_FILE, *_ALL, cases={"gone": b"<< >>", "empty": b"<< /EmbeddedFiles << /Names [] >> >>"})
def file_removed(doc: Base, names: bytes) -> bytes:
    """The attachment is taken out of the tree (ISO 32000-2 7.7.4)."""
    return doc.update({"names": names})


@forgery(
    _TREE,
    *_ALL,
    cases={
        "kids-shadow-names": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R] /Kids [%d 0 R] >> >>",
        "name-twice": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R (terms.txt) %d 0 R] >> >>",
        "name-twice-first": b"<< /EmbeddedFiles << /Names [(terms.txt) %d 0 R (terms.txt) 40 0 R] >> >>",
        "renamed": b"<< /EmbeddedFiles << /Names [(terms2.txt) 40 0 R] >> >>",
        "limits": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R] /Limits [(a) (b)] >> >>",
        "odd": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R (x)] >> >>",
        "destinations": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R] >> "
        b"/Dests << /Names [(terms) [3 0 R /Fit]] >> >>",
        "templates": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R] >> /Templates << /Names [(t) 3 0 R] >> >>",
        "pages": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R] >> /Pages << /Names [(t) 3 0 R] >> >>",
        "appearances": b"<< /EmbeddedFiles << /Names [(terms.txt) 40 0 R] >> /AP << /Names [(x) 11 0 R] >> >>",
    },
)
def tree_changed(doc: Base, names: bytes) -> bytes:
    """The names tree leads elsewhere, twice, or by another way (ISO 32000-2 7.9.6)."""
    n = doc.free
    body = names % n if b"%d" in names else names
    return doc.update({"names": body, n: _OTHER % (n + 1), n + 1: _FILE_BODY})


@forgery(_TREE, *_ALL)
def destination_moved(doc: Base) -> bytes:
    """A named destination leads to another page (ISO 32000-2 12.3.2.4)."""
    return doc.update({"dests": b"<< /terms [3 0 R /Fit] >>"})


@forgery(_TREE, *_ALL, cases={"names": "Names", "dests": "Dests"})
def tree_taken_away(doc: Base, key: str) -> bytes:
    """The catalog loses a name dictionary (ISO 32000-2 7.7.4)."""
    return doc.update({"catalog": changed(doc.body("catalog"), **{key: None})})


@forgery("associated-file", *_ALL)
def association_swapped(doc: Base) -> bytes:
    """/AF of the catalog names another file than the tree (ISO 32000-2 14.13)."""
    n = doc.free
    catalog = changed(doc.body("catalog"), AF=b"[%d 0 R]" % n)
    return doc.update({"catalog": catalog, n: _OTHER % (n + 1), n + 1: _FILE_BODY})


@forgery("associated-file", *_ALL)
def association_removed(doc: Base) -> bytes:
    """/AF is taken from the catalog (ISO 32000-2 14.13)."""
    return doc.update({"catalog": changed(doc.body("catalog"), AF=None)})


@forgery("associated-file", *_ALL, cases={"page": "page", "image": "image", "field": "payee"})
def association_given_to(doc: Base, part: str) -> bytes:
    """A part of the document gets an associated file of the forger's (ISO 32000-2 14.13)."""
    n = doc.free
    return doc.update({part: changed(doc.body(part), AF=b"[%d 0 R]" % n), n: _OTHER % (n + 1), n + 1: _FILE_BODY})


@forgery(
    _META,
    "p1",
    "p2",
    "approval",
    cases={
        "no-xml": stream(b"(amount 900)", b"/Type /Metadata /Subtype /XML"),
        "entity": stream(
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', b"/Type /Metadata /Subtype /XML"
        ),
        "no-stream": b"<< /Type /Metadata >>",
        "no-type": stream(b"<x/>"),
    },
)
def metadata_that_is_none(doc: Base, body: bytes) -> bytes:
    """The catalog's /Metadata is replaced by something that is no XMP (ISO 32000-2 14.3.2)."""
    return doc.update({"metadata": body})


@forgery(_META, "p1", "p2", "p3", "approval")
def metadata_of_a_page(doc: Base) -> bytes:
    """A page gets metadata of its own (ISO 32000-2 14.3.2)."""
    return doc.update({"page": changed(doc.body("page"), Metadata=doc.ref("metadata"))})


@forgery(_META, "p1", "p2", "p3", "approval")
def information_is_another_object(doc: Base) -> bytes:
    """The trailer's /Info leads to an object of the pages, which the update rewrites (ISO 32000-2 14.3.3)."""
    body = doc.body("font").replace(b"/Helvetica", b"/Symbol")
    return doc.update({"font": body}, trailer={b"/Info": doc.ref("font")})
