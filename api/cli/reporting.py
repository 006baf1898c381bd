"""Writing a report on one file: signed when there is a vault, else without a signature, which it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli import output
from api.cli.options import Invocation

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


def write_report(
    invocation: Invocation, vault: Vault | None, material: Mapping[str, Any], *, name: str, out: Path
) -> None:
    """Write ``out``: HTML or PDF by its ending, in the language of the invocation."""
    html = out.suffix.lower() == ".html"
    if vault is not None:
        write = vault.reports.html if html else vault.reports.pdf
        out.write_bytes(write(material, name=name, lang=invocation.lang))
    else:
        out.write_bytes(_unsigned(invocation, material, name, html=html))
        output.say("没有证照库，报告未签署" if invocation.zh else "there is no vault, so the report is not signed")
    output.say(f"{'报告' if invocation.zh else 'report'}: {out}")


def _unsigned(invocation: Invocation, material: Mapping[str, Any], name: str, *, html: bool) -> bytes:
    from certvault.clock import SystemClock
    from certvault.reports import unsigned_html, unsigned_pdf, utc_text
    from templates.report.blocks import Origin

    made = SystemClock().now()
    origin = Origin(name, utc_text(made), "certvault", signed=False)
    if html:
        return unsigned_html(material, origin, invocation.lang)
    return unsigned_pdf(material, origin, invocation.lang, made)
