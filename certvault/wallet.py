"""What a holder may download: a ZIP of PDFs and structured records, with an index for people and one for machines."""

from __future__ import annotations

import datetime
import html
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from certvault.catalog import Catalog
from certvault.clock import LEGAL_ZONE, Clock
from certvault.db.unit_of_work import Database
from certvault.errors import NotFoundError, forbidden
from certvault.holders import check_holder_code
from certvault.licenses import Licenses
from certvault.model.actor import Actor, Role
from certvault.model.keys import event
from certvault.model.license import License
from certvault.model.views import LicenseView
from certvault.settings import Settings
from verify.formats.refusal import Refusal, Text

_STANDING_ZH = {
    "IN_FORCE": "有效",
    "NOT_YET": "尚未生效",
    "EXPIRED": "已过期",
    "SUSPENDED": "已暂停",
    "REVOKED": "已吊销或注销",
    "SUPERSEDED": "已由新版本取代",
    "UNKNOWN": "未知",
}
_STANDING_EN = {
    "IN_FORCE": "in force",
    "NOT_YET": "not yet in force",
    "EXPIRED": "expired",
    "SUSPENDED": "suspended",
    "REVOKED": "revoked",
    "SUPERSEDED": "superseded by a newer version",
    "UNKNOWN": "unknown",
}
_FIXED = (1980, 1, 1, 0, 0, 0)  # a ZIP has no zone; times stand in index.json


@dataclass(frozen=True, slots=True)
class _Entry:
    view: LicenseView
    stem: str


class Wallet:
    """Lists and packs the licenses of one holder."""

    def __init__(
        self, database: Database, licenses: Licenses, catalog: Catalog, settings: Settings, clock: Clock
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._licenses = licenses
        self._settings = settings
        self._clock = clock

    def entries(self, holder: str, actor: Actor) -> list[LicenseView]:
        """The licenses of one holder, newest first. ``holder`` is a code; empty: the holder who asks.

        Holders get their own and nothing else (ForbiddenError); issuers and operators anybody's.
        """
        return [self._licenses.view(found) for found in self._found(holder, actor)]

    def archive(self, holder: str, actor: Actor) -> bytes:
        """The ZIP: ``index.html``, ``index.json``, ``pdf/…``, ``records/…``. The download is audited.

        NotFoundError (WALLET_EMPTY) for a holder of nothing: an empty archive would look like a failure, or hide one.
        """
        found = self._found(holder, actor)
        if not found:
            raise _nothing_held()
        entries = [_Entry(view, _stem(i, view)) for i, view in enumerate(map(self._licenses.view, found), 1)]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            _write(archive, "index.html", _page(entries, self._settings, self._now()).encode())
            _write(archive, "index.json", _index(entries, self._settings, self._clock.now()))
            for entry, license_ in zip(entries, found, strict=True):
                _write(archive, f"pdf/{entry.stem}.pdf", self._licenses.document(license_))
                _write(archive, f"records/{entry.stem}.sdjwt", self._licenses.sdjwt(license_).encode())
        with self._database.writing() as uow:
            uow.record(
                [event("WALLET_DOWNLOADED", f"holder:{self._index(holder, actor)}", actor.subject, count=len(found))]
            )
        return buffer.getvalue()

    def _found(self, holder: str, actor: Actor) -> list[License]:
        return self._licenses.of_holder(self._index(holder, actor))

    def _index(self, holder: str, actor: Actor) -> str:
        if holder:
            check_holder_code(holder, self._catalog)
        index = self._licenses.holder_index(holder or None, actor)
        if index is None:  # an operator or issuer asks for "their own", and has none
            raise forbidden(Role.HOLDER)
        return index

    def _now(self) -> str:
        return self._clock.now().astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")


def _nothing_held() -> NotFoundError:
    return NotFoundError(
        Refusal(
            "WALLET_EMPTY",
            "holder",
            Text("本库没有该持证主体的证照", "this vault holds no license of that holder"),
            Text("请核对证件号码。", "Check the holder's code."),
        )
    )


def _stem(position: int, view: LicenseView) -> str:
    """A file name a person can tell apart: the type's title and the number's end, never a whole citizen number."""
    title = re.sub(r"[^\w()()-]", "", view.title.zh)[:40]
    return f"{position:02d}-{title}-{re.sub(r'[^0-9A-Za-z]', '', view.number)[-4:]}"


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _FIXED)
    info.compress_type = zipfile.ZIP_STORED if name.endswith(".pdf") else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    archive.writestr(info, content)


def _index(entries: Sequence[_Entry], settings: Settings, now: datetime.datetime) -> bytes:
    value = {
        "vault": settings.name,
        "base_url": settings.base_url,
        "made": now.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "licenses": [
            {
                "identifier": e.view.identifier,
                "type": e.view.type,
                "title": {"zh": e.view.title.zh, "en": e.view.title.en},
                "number": e.view.number,
                "version": e.view.version,
                "copy_number": e.view.copy_number,
                "standing": e.view.standing,
                "issuer": e.view.issuer_name,
                "holders": [h.name for h in e.view.holders],
                "valid_from": e.view.valid_from.isoformat(),
                "valid_to": e.view.valid_to.isoformat() if e.view.valid_to else None,
                "sha256": e.view.sha256,
                "pdf": f"pdf/{e.stem}.pdf",
                "record": f"records/{e.stem}.sdjwt",
            }
            for e in entries
        ],
    }
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def _page(entries: Sequence[_Entry], settings: Settings, now: str) -> str:
    cards = "\n".join(_card(e) for e in entries) or (
        '<p class="none">没有证照。<span lang="en">There are no licenses.</span></p>'
    )
    holder = html.escape("、".join(dict.fromkeys(h.name for e in entries[:1] for h in e.view.holders)))
    return _HTML.format(
        vault=html.escape(settings.name),
        holder=holder,
        count=len(entries),
        cards=cards,
        now=html.escape(now),
        verify=html.escape(f"{settings.base_url}/verify", quote=True),
        style=_STYLE,
    )


def _card(entry: _Entry) -> str:
    view = entry.view
    until = view.valid_to.isoformat() if view.valid_to else '长期 <span lang="en">no end</span>'
    copy = f'<span class="copy">副本 {view.copy_number}</span>' if view.copy_number else ""
    rows = [
        ("持证主体", "Holder", html.escape("、".join(h.name for h in view.holders))),
        ("证照编号", "Number", html.escape(view.number)),
        ("颁发机关", "Issued by", html.escape(view.issuer_name)),
        ("有效期", "In force", f"{view.valid_from.isoformat()} – {until}"),
        ("证照标识", "Identifier", html.escape(view.identifier)),
    ]
    lines = "\n".join(f'<dt>{zh} <span lang="en">{en}</span></dt><dd>{value}</dd>' for zh, en, value in rows)
    return (
        f'<article class="{view.standing.lower().replace("_", "-")}">\n'
        f'<header><h2>{html.escape(view.title.zh)} {copy}<span lang="en">{html.escape(view.title.en)}</span></h2>'
        f'<p class="standing">{_STANDING_ZH[view.standing]} <span lang="en">{_STANDING_EN[view.standing]}</span></p>'
        f"</header>\n<dl>\n{lines}\n</dl>\n"
        f'<p class="files"><a href="pdf/{html.escape(entry.stem, quote=True)}.pdf">打开证照 '
        f'<span lang="en">Open the PDF</span></a>'
        f'<a class="second" href="records/{html.escape(entry.stem, quote=True)}.sdjwt">数据记录 '
        f'<span lang="en">Structured record</span></a></p>\n</article>'
    )


_STYLE = """
:root { --ink: #1d1b18; --quiet: #6b655c; --red: #a8201a; --paper: #fbf8f1; --card: #fff; --line: #e4dccb; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 "Noto Serif SC", "Source Han Serif SC", "Songti SC", SimSun, serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; margin: 0; letter-spacing: .08em; }
h2 { font-size: 1.25rem; margin: 0; }
[lang=en] { font-family: system-ui, "Noto Sans", sans-serif; font-size: .78em; color: var(--quiet); font-weight: 400; }
h2 [lang=en] { display: block; }
.lead { color: var(--quiet); margin: .3rem 0 2rem; border-bottom: 3px double var(--line); padding-bottom: 1.2rem; }
article { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--red);
  border-radius: 6px; padding: 1.2rem 1.4rem; margin: 0 0 1.2rem; }
article:not(.in-force) { border-left-color: #9a9385; }
header { display: flex; justify-content: space-between; gap: 1rem; align-items: flex-start; }
.standing { margin: 0; padding: .1rem .7rem; border: 1px solid currentColor; border-radius: 99px; color: #23713b;
  white-space: nowrap; font-size: .9rem; }
article:not(.in-force) .standing { color: #7a6f5d; }
.copy { font-size: .8rem; color: var(--red); font-weight: 400; }
dl { display: grid; grid-template-columns: minmax(8.5rem, auto) 1fr; gap: .25rem 1.2rem; margin: 1rem 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
.files { margin: 0; display: flex; gap: .8rem; flex-wrap: wrap; }
.files a { background: var(--red); color: #fff; padding: .4rem 1rem; border-radius: 4px; text-decoration: none; }
.files a.second { background: none; color: var(--red); box-shadow: inset 0 0 0 1px var(--red); }
.files a [lang=en] { color: inherit; opacity: .85; }
footer { color: var(--quiet); font-size: .9rem; margin-top: 2.5rem; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
@media print { .files { display: none; } article { break-inside: avoid; } }
"""

_HTML = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>我的证照 · My licenses</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>我的证照 <span lang="en">My licenses</span></h1>
<p class="lead">{holder} · {count} 件 <span lang="en">licenses</span> · {vault}</p>
{cards}
<footer>
<p>导出时间 <span lang="en">Made</span> {now}。每件证照的 PDF 带有电子印章，可在
<a href="{verify}">{verify}</a> 查验,也可离线验证。
<span lang="en">Every PDF is sealed; check it there, or offline. The standing is that of the day of export.</span></p>
</footer>
</main>
</body>
</html>
"""
