"""Actions added after signing: scripts, programs, other documents, addresses, forms sent away (ISO 32000-2 12.6)."""

from __future__ import annotations

from tests.support.forger.bases import Base
from tests.support.forger.registry import forgery
from tests.support.forger.writer import changed

_FAMILY = "action-added"
_ALL = ("approval", "p1", "p2", "p3")
_ACTIONS = {
    "javascript": b"<< /S /JavaScript /JS (this.getField\\('payee'\\).value='Evil') >>",
    "launch": b"<< /S /Launch /F (calc.exe) >>",
    "gotor": b"<< /S /GoToR /F (other.pdf) /D [0 /Fit] >>",
    "gotoe": b"<< /S /GoToE /T << /R /C /N (terms.txt) >> /D [0 /Fit] >>",
    "uri": b"<< /S /URI /URI (http://127.0.0.1/) >>",
    "submit": b"<< /S /SubmitForm /F (http://127.0.0.1/) >>",
    "import": b"<< /S /ImportData /F (x.fdf) >>",
    "hide": b"<< /S /Hide /T (payee) /H true >>",
    "layers": b"<< /S /SetOCGState /State [/OFF 35 0 R /ON 36 0 R] >>",
    "reset": b"<< /S /ResetForm >>",
    "named": b"<< /S /Named /N /Print >>",
    "rendition": b"<< /S /Rendition /OP 0 >>",
}


@forgery(_FAMILY, *_ALL, cases=_ACTIONS)
def on_opening(doc: Base, action: bytes) -> bytes:
    """The catalog gets an /OpenAction (ISO 32000-2 7.7.2)."""
    return doc.update({"catalog": changed(doc.body("catalog"), OpenAction=action)})


_SCRIPT = _ACTIONS["javascript"]


@forgery(_FAMILY, *_ALL, cases={"WillPrint": b"WP", "WillSave": b"WS", "WillClose": b"WC"})
def on_document_event(doc: Base, event: bytes) -> bytes:
    """The catalog gets additional actions (ISO 32000-2 Table 200)."""
    return doc.update({"catalog": changed(doc.body("catalog"), AA=b"<< /%s %s >>" % (event, _SCRIPT))})


@forgery(
    _FAMILY,
    *_ALL,
    cases={
        "page": "page",
        "pages": "pages",
        "field": "payee",
        "note": "note",
        "sig": "sig1",
        "empty-sig": "sig2",
        "button": "logo",
    },
)
def additional_actions_of(doc: Base, part: str) -> bytes:
    """An object gets additional actions that run a script (ISO 32000-2 12.6.3)."""
    return doc.update({part: changed(doc.body(part), AA=b"<< /O %s /F %s /K %s >>" % (_SCRIPT, _SCRIPT, _SCRIPT))})


@forgery(_FAMILY, *_ALL, cases={"button": "logo", "note": "note", "field": "payee", "empty-sig": "sig2"})
def action_of(doc: Base, part: str) -> bytes:
    """A widget or annotation gets an action (ISO 32000-2 12.6.1)."""
    return doc.update({part: changed(doc.body(part), A=_ACTIONS["submit"])})


@forgery(_FAMILY, "approval", "p2", "p3")
def action_beside_form_filling(doc: Base) -> bytes:
    """A field is filled as permitted, and in passing gets a script on each keystroke (ISO 32000-2 12.6.3)."""
    body = changed(doc.body("agree"), V=b"/Yes", AS=b"/Yes", AA=b"<< /D %s >>" % _SCRIPT)
    return doc.update({"agree": body})


@forgery(_FAMILY, *_ALL)
def script_in_the_name_tree(doc: Base) -> bytes:
    """A script is put into the names tree, where it runs on opening (ISO 32000-2 12.6.4.17)."""
    names = changed(doc.body("names"), JavaScript=b"<< /Names [(x) %s] >>" % _SCRIPT)
    return doc.update({"names": names})


@forgery(_FAMILY, *_ALL)
def calculation_order(doc: Base) -> bytes:
    """The form gets a calculation order whose field has a script (ISO 32000-2 12.7.3)."""
    return doc.update(
        {
            "form": changed(doc.body("form"), CO=b"[23 0 R]"),
            "payee": changed(doc.body("payee"), AA=b"<< /C %s >>" % _SCRIPT),
        }
    )


@forgery(_FAMILY, *_ALL)
def requirements(doc: Base) -> bytes:
    """The catalog demands a handler for scripts (ISO 32000-2 12.11)."""
    return doc.update({"catalog": changed(doc.body("catalog"), Requirements=b"[<< /S /EnableJavaScripts >>]")})


@forgery(_FAMILY, *_ALL)
def outline_with_action(doc: Base) -> bytes:
    """An outline is added whose entry starts a program (ISO 32000-2 12.3.3)."""
    n = doc.free
    objects: dict[str | int, bytes] = {
        "catalog": changed(doc.body("catalog"), Outlines=b"%d 0 R" % n),
        n: b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count 1 >>" % (n + 1, n + 1),
        n + 1: b"<< /Title (Pay here) /Parent %d 0 R /A %s >>" % (n, _ACTIONS["launch"]),
    }
    return doc.update(objects)
