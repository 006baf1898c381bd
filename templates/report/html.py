"""A verification report as one HTML page: no script, nothing loaded from elsewhere, every text escaped.

The facts stand in it as one line of JSON with a detached JWS over exactly those bytes (RFC 7515 appendix F): whoever
reads the text of ``#facts`` as UTF-8 has the payload.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from templates.report.blocks import (
    Answer,
    Banner,
    Checks,
    FindingBlock,
    Heading,
    Note,
    Origin,
    Pair,
    Rows,
    report_title,
)
from templates.report.pixels import Picture
from templates.report.words import word

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root{color-scheme:light;--good:#0f7340;--good-bg:#ebf7ee;--lapsed:#99600a;--lapsed-bg:#fdf4e2;--open:#33548c;
--open-bg:#eef2fa;--bad:#b3181c;--bad-bg:#fcecec;--note:#616974;--note-bg:#f3f4f6;--rule:#d2d6dc;--grey:#69717c}
*{box-sizing:border-box}
body{margin:0;background:#f3f4f6;color:#20242b;
font:15px/1.6 "Noto Sans SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif}
main{max-width:60rem;margin:2rem auto;padding:2.2rem 2.6rem;background:#fff;border:1px solid var(--rule)}
header{display:flex;justify-content:space-between;align-items:baseline;gap:1rem;flex-wrap:wrap;
border-bottom:1px solid var(--rule);padding-bottom:.6rem;margin-bottom:1.4rem}
h1{font-size:1.25rem;margin:0}header p{margin:0;color:var(--grey);font-size:.85rem}
h2{font-size:1rem;margin:2rem 0 .5rem;padding-bottom:.25rem;border-bottom:1px solid var(--rule)}
.banner{border-left:6px solid;padding:1rem 1.3rem;margin:0 0 1rem}
.banner strong{display:block;font-size:1.5rem;line-height:1.35}.banner p{margin:.35rem 0 0;color:#20242b}
.good{color:var(--good);border-color:var(--good)}.lapsed{color:var(--lapsed);border-color:var(--lapsed)}
.open{color:var(--open);border-color:var(--open)}.bad{color:var(--bad);border-color:var(--bad)}
.note{color:var(--note);border-color:var(--note)}
.banner.good,.badge.good{background:var(--good-bg)}.banner.lapsed,.badge.lapsed{background:var(--lapsed-bg)}
.banner.open,.badge.open{background:var(--open-bg)}.banner.bad,.badge.bad{background:var(--bad-bg)}
.badge.note{background:var(--note-bg)}
dl{display:grid;grid-template-columns:9.5rem 1fr;gap:.2rem 1rem;margin:.4rem 0 1rem}
dt{color:var(--grey)}dd{margin:0;overflow-wrap:anywhere}
.answer{display:grid;grid-template-columns:6rem 9rem 1fr;gap:1rem;padding:.45rem 0}
.answer b{display:block}.answer code{font-size:.72rem;color:var(--grey)}.answer>span:first-child{color:var(--grey)}
.finding{border-left:3px solid;padding:.2rem 0 .2rem 1rem;margin:.9rem 0}
.finding p{margin:.1rem 0;color:#20242b}.finding .said{font-weight:600}
.finding small{color:var(--grey);overflow-wrap:anywhere}
.badge{display:inline-block;font-size:.78rem;padding:.05rem .5rem;margin-right:.5rem;border-radius:3px;font-weight:600}
figure{margin:1.2rem 0}figcaption{font-weight:600;margin-bottom:.3rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem;align-items:start}
.pair p{margin:0 0 .2rem;color:var(--grey);font-size:.85rem}
.sheet{position:relative;border:1px solid var(--rule)}.sheet img{display:block;width:100%}
.sheet i{position:absolute;border:2px solid #cc1a1f;background:#cc1a1f14}
table{width:100%;border-collapse:collapse}td{padding:.25rem .5rem}tr:nth-child(odd){background:#f6f7f8}
td:nth-child(2){color:var(--grey);font-size:.85rem}td:last-child{text-align:right;white-space:nowrap}
details{margin-top:2rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;max-height:20rem;overflow:auto;
background:#f6f7f8;padding:.8rem;font-size:.75rem}
footer{margin-top:2rem;padding-top:.6rem;border-top:1px solid var(--rule);color:var(--grey);font-size:.85rem}
@media(max-width:44rem){main{padding:1.2rem;margin:0}.answer{grid-template-columns:1fr}dl{grid-template-columns:1fr}}
@media print{body{background:#fff}main{border:0;margin:0;max-width:none}pre{max-height:none}}
"""


def report_html(blocks: Sequence[object], facts: bytes, jws: str | None, *, origin: Origin, lang: str) -> bytes:
    """The page. ``facts`` is JSON in UTF-8 without line breaks; ``jws`` its detached signature, or None."""
    title = escape(report_title(lang))
    mark = word("signed" if jws else "unsigned", lang)
    body = "".join(_KINDS[type(block)](block, lang) for block in blocks)
    signature = f'<h2>{escape(word("jws", lang))}</h2><pre id="jws">{escape(jws)}</pre>' if jws else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{title}</h1><p>{escape(word('not_a_license', lang))} · {escape(mark)}</p></header>\n"
        f"{body}\n"
        f"<details><summary>{escape(word('facts', lang))}</summary><p>{escape(word('facts_note', lang))}</p>"
        f'<pre id="facts">{escape(facts.decode())}</pre>{signature}</details>\n'
        f"<footer>{escape(origin.made_by)} · {escape(origin.made_at)}</footer>\n</main>\n</body>\n</html>\n"
    ).encode()


def _banner(block: Banner, lang: str) -> str:
    return f'<div class="banner {block.tone}"><strong>{escape(block.title)}</strong><p>{escape(block.advice)}</p></div>'


def _heading(block: Heading, lang: str) -> str:
    return f"<h2>{escape(block.text)}</h2>"


def _note(block: Note, lang: str) -> str:
    return f"<p>{escape(block.text)}</p>"


def _rows(block: Rows, lang: str) -> str:
    return "<dl>" + "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in block.rows) + "</dl>"


def _answer(block: Answer, lang: str) -> str:
    return (
        f'<div class="answer"><span>{escape(block.name)}</span><span><b class="{block.tone}">{escape(block.value)}</b>'
        f"<code>{escape(block.code)}</code></span><span>{escape(block.reason)}</span></div>"
    )


def _finding(block: FindingBlock, lang: str) -> str:
    separator = "：" if lang == "zh" else ": "
    told = [(word("why", lang), block.why), (word("action", lang), block.action)]
    more = "".join(f"<p>{escape(name)}{separator}{escape(text)}</p>" for name, text in told if text)
    return (
        f'<div class="finding {block.tone}"><p class="said"><span class="badge {block.tone}">{escape(block.severity)}'
        f"</span>{escape(block.message)}</p>{more}<small>{escape(block.details)}</small></div>"
    )


def _pair(block: Pair, lang: str) -> str:
    sides = [(block.signed_caption, block.signed), (block.shown_caption, block.shown)]
    shown = "".join(
        f"<div><p>{escape(caption)}</p>{_sheet(picture, block, lang)}</div>"
        for caption, picture in (sides[1:] if block.alone else sides)
    )
    return f'<figure><figcaption>{escape(block.caption)}</figcaption><div class="pair">{shown}</div></figure>'


def _sheet(picture: Picture | None, block: Pair, lang: str) -> str:
    if picture is None:
        return f"<p>{escape(word('missing_page', lang))}</p>"
    boxes = "".join(
        f'<i style="left:{left:.2%};top:{top:.2%};width:{right - left:.2%};height:{bottom - top:.2%}"></i>'
        for left, top, right, bottom in block.boxes
    )
    data = base64.b64encode(picture.png()).decode()
    return f'<div class="sheet"><img alt="" src="data:image/png;base64,{data}">{boxes}</div>'


def _checks(block: Checks, lang: str) -> str:
    rows = "".join(
        f'<tr><td>{escape(r.title)}</td><td>{escape(r.clause)}</td><td class="{r.tone}">{escape(r.outcome)}</td></tr>'
        for r in block.rows
    )
    return f"<table>{rows}</table>"


_KINDS: dict[type, Callable[[Any, str], str]] = {
    Banner: _banner, Heading: _heading, Note: _note, Rows: _rows, Answer: _answer,
    FindingBlock: _finding, Pair: _pair, Checks: _checks,
}  # fmt: skip
