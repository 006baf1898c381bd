"""``region``: this region's anchor and trust list, and those adopted of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.hubs import HubInfo
    from certvault.regionsync import Synced
    from verify.formats.anchor import Anchor
    from verify.formats.refusal import RefusedError

regions = typer.Typer(help="Trust lists of regions.", no_args_is_help=True, rich_markup_mode=None)

OutOption = Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="File to write")]


@regions.command("anchor")
def region_anchor(
    *,
    out: OutOption,
    threshold: Annotated[
        int | None,
        typer.Option(
            min=1, max=16, help="Begin the next anchor: so many roots vouch for a later one", show_default=False
        ),
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="CERT", help="Begin the next anchor: with another vault's root as well", show_default=False
        ),
    ] = None,
    take: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take in the next anchor with which others vouched", show_default=False),
    ] = None,
    waiting: Annotated[bool, typer.Option("--next", help="Write the next anchor, which waits for others")] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write this region's anchor, to be handed to those who adopt it; or begin the next one."""
    invocation = given(vault, as_json, lang)
    output.check_target(out)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        if threshold is not None or add:
            roots = [r for path in add or () for r in _certificates(path)]
            found = opened.anchors.change(LOCAL_OPERATOR, threshold=threshold, add=roots)
        elif take is not None:
            found = opened.anchors.take(read_anchor_file(take), LOCAL_OPERATOR)
        else:
            found = _waiting(opened) if waiting else opened.anchors.current()
        counts = opened.anchors.current().sequence >= found.sequence
    _write_anchor(out, found)
    value = {**_anchor_json(found), "counts": counts, "file": str(out)}
    output.show(invocation, value, _anchor_told(found, counts=counts, zh=invocation.zh), aside=output.is_stdout(out))


@regions.command("cosign")
def region_cosign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The next anchor of another region")],
    *,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="File to write [the same]", show_default=False)
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Vouch for the next anchor of another region in which one of our roots stands."""
    invocation = given(vault, as_json, lang)
    target = out or file
    output.check_target(target)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        found = opened.anchors.vouch(read_anchor_file(file), LOCAL_OPERATOR)
    _write_anchor(target, found)
    output.facts(invocation, {**_anchor_json(found), "file": str(target)})


@regions.command("export")
def region_export(
    *,
    out: OutOption,
    as_xml: Annotated[
        bool, typer.Option("--xml", help="As XML after ETSI TS 119 612, for readers of such lists")
    ] = False,
    kit: Annotated[bool, typer.Option("--kit", help="An offline kit, by which verify judges without network")] = False,
    hours: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=744,
            metavar="N",
            help="With --kit: how long our standing is known from it [24]",
            show_default=False,
        ),
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Write this region's trust list as it is now, or a kit with all that is known of this region and others."""
    invocation = given(vault, as_json, lang)
    output.check_target(out)
    if hours is not None and not kit:
        raise typer.BadParameter("只用于 --kit" if invocation.zh else "it belongs to --kit", param_hint="--hours")
    if kit and as_xml:
        raise typer.BadParameter("不能与 --xml 同用" if invocation.zh else "give --kit or --xml", param_hint="--kit")
    if kit:
        _export_kit(invocation, out, hours)
        return
    from api.schemas import utc

    with invocation.open_vault() as opened:
        in_xml = opened.trust_list_xml.newest() if as_xml else None
        published = opened.trust_lists.newest() if in_xml is None else in_xml.of
        region = opened.settings.region
    data = published.token.encode() if in_xml is None else in_xml.data
    out.write_bytes(data)
    value = {
        "region": region,
        "sequence": published.sequence,
        "issued": utc(published.issued),
        "next_update": utc(published.next_update),
        "bytes": len(data),
        "file": str(out),
    }
    lines = [f"{k}: {v}" for k, v in value.items()]
    output.show(invocation, value, lines, aside=output.is_stdout(out))


def _export_kit(invocation: Invocation, out: Path, hours: int | None) -> None:
    from api.schemas import utc
    from certvault.kits import HOURS
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        made = opened.kits.make(LOCAL_OPERATOR, hours=HOURS if hours is None else hours)
    out.write_bytes(made.data)
    manifest = made.manifest
    value = {
        "region": manifest.region,
        "made": utc(manifest.made),
        "until": utc(manifest.until),
        "regions": [r.region for r in manifest.regions],
        "members": len(manifest.members),
        "bytes": len(made.data),
        "file": str(out),
    }
    output.show(invocation, value, [f"{k}: {v}" for k, v in value.items()], aside=output.is_stdout(out))


@regions.command("adopt")
def region_adopt(
    source: Annotated[
        str, typer.Argument(metavar="FILE_OR_URL", help="The region's trust list, or where it is served")
    ],
    *,
    anchor: Annotated[Path, typer.Option(metavar="FILE", help="The region's anchor, which came from hand to hand")],
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Adopt a region by its trust list and anchor, or take a newer list of it. A hub's list of lists or address: follow
    the hub."""
    invocation = given(vault, as_json, lang)
    from api.regionjson import hub_json, region_json, said, said_of_hub
    from certvault.model.actor import LOCAL_OPERATOR

    trusted = read_anchor_file(anchor)
    with invocation.open_vault() as opened:
        hub = _adopted_hub(opened, source, trusted)
        if hub is not None:
            output.show(invocation, hub_json(hub), said_of_hub(hub, invocation.lang))
            return
        if _is_url(source):
            found = opened.region_sync.adopt(source, trusted, LOCAL_OPERATOR)
        else:
            from verify.formats.trustlist import MAX_BYTES

            found = opened.regions.adopt(_read(Path(source), MAX_BYTES), trusted, LOCAL_OPERATOR)
    output.show(invocation, region_json(found), said(found, invocation.lang))


@regions.command("list")
def region_list(vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """List the adopted regions: number and age of what is known, and what stands against them."""
    invocation = given(vault, as_json, lang)
    from api.regionjson import hub_json, notice_json, region_json, said, said_of_hub, said_of_notices, seen_json

    with invocation.open_vault() as opened:
        found, hubs, seen = opened.regions.list(), opened.hubs.list(), opened.hubs.evidence()
        notices = opened.relay_sync.notices()
    lines = [line for h in hubs for line in said_of_hub(h, invocation.lang)]
    for one in found:
        lines += said(one, invocation.lang)
        lines += said_of_notices([n for n in notices if n.region == one.region], invocation.lang)
    value = {
        "regions": [region_json(r) for r in found],
        "hubs": [hub_json(h) for h in hubs],
        "equivocations": [seen_json(s) for s in seen],
        "notices": [notice_json(n) for n in notices],
    }
    output.show(invocation, value, lines)


@regions.command("sync")
def region_sync(
    names: Annotated[list[str] | None, typer.Argument(metavar="[REGION]...", help="Which [all]")] = None,
    *,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Ask adopted regions and hubs for what is new. Ends with 3 when some region was refused or not reached."""
    invocation = given(vault, as_json, lang)
    import dataclasses

    from api.regionjson import in_words, said_of_relayed
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        found = opened.region_sync.sync(LOCAL_OPERATOR, names or ())
        followed = opened.hubs.sync()
        relayed = opened.relay_sync.sync(names or ())
    through = [*followed.hubs, *followed.regions]
    output.show(
        invocation,
        {
            "regions": [_synced_json(s, invocation.lang) for s in found],
            "hubs": [_coded("hub", h, c, invocation.lang) for h, c in followed.hubs],
            "through_hubs": [_coded("region", r, c, invocation.lang) for r, c in followed.regions],
            "relayed": dataclasses.asdict(relayed),
        },
        [
            *(_synced(s, invocation) for s in found),
            *(
                f"{name}  {code}  {in_words(code, invocation.lang)}" if code else f"{name}  OK"
                for name, code in through
            ),
            *said_of_relayed(relayed, invocation.lang),
        ],
    )
    if any(s.code for s in found) or any(code for _, code in through):
        raise typer.Exit(3)


@regions.command("forget")
def region_forget(
    region: Annotated[str, typer.Argument(metavar="REGION", help="Code of GB/T 2260")],
    *,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Let an adopted region go: its licenses do not count here from now on. A hub: follow it no longer."""
    invocation = given(vault, as_json, lang)
    from certvault.model.actor import LOCAL_OPERATOR

    with invocation.open_vault() as opened:
        if any(h.hub == region for h in opened.hubs.list()):
            opened.hubs.forget(region, LOCAL_OPERATOR)
        else:
            opened.regions.forget(region, LOCAL_OPERATOR)
    output.facts(invocation, {"region": region, "forgotten": True})


def _adopted_hub(opened: Vault, source: str, anchor: Anchor) -> HubInfo | None:
    """The hub that the source turns out to be; None for a region's list."""
    from certvault.model.actor import LOCAL_OPERATOR
    from verify.formats.hublist import MAX_BYTES, begins_as_hub_list

    if _is_url(source):
        return opened.hubs.adopt_at(source, anchor, LOCAL_OPERATOR)
    data = _read(Path(source), MAX_BYTES)
    return opened.hubs.adopt(data, anchor, LOCAL_OPERATOR, address="") if begins_as_hub_list(data) else None


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _coded(kind: str, name: str, code: str, lang: str) -> dict[str, Any]:
    from api.regionjson import in_words

    return {kind: name, "code": code, "reason": in_words(code, lang) if code else ""}


def read_anchor_file(path: Path) -> Anchor:
    """The anchor in a file. RefusedError (ANCHOR_BROKEN)."""
    from certvault.regions import refusal_of
    from verify.formats.anchor import MAX_BYTES, AnchorError, read_anchor
    from verify.trust.lists import AdoptionError

    try:
        return read_anchor(_read(path, MAX_BYTES))
    except AnchorError as error:
        raise refusal_of(AdoptionError("ANCHOR_BROKEN", reason=str(error))) from error


def _read(path: Path, limit: int) -> bytes:
    """The file, at most a byte more than ``limit``: whoever reads it says that it is too large."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def _certificates(path: Path) -> list[bytes]:
    from verify.trust.anchors import TrustStore

    try:
        store = TrustStore.from_paths([path])
    except ValueError as error:
        raise _no_certificate(path) from error
    return [*store.anchors]


_HOW = {"unchanged": "没有变化", "difference": "取得变化部分", "list": "取得整份列表"}


def _synced_json(synced: Synced, lang: str) -> dict[str, Any]:
    return {
        "region": synced.region,
        "code": synced.code,
        "reason": synced.reason.in_language(lang),
        "how": synced.how,
        "sequence": synced.sequence,
        "bytes": synced.received,
        "seconds": round(synced.seconds, 3),
    }


def _synced(synced: Synced, invocation: Invocation) -> str:
    if synced.code:
        return f"{synced.region}  {synced.code}  {synced.reason.in_language(invocation.lang)}"
    how = _HOW[synced.how] if invocation.zh else synced.how
    number = f"第 {synced.sequence} 号" if invocation.zh else f"number {synced.sequence}"
    return f"{synced.region}  {number}  {how}  {synced.received} B  {synced.seconds:.2f} s"


def _waiting(opened: Vault) -> Anchor:
    from certvault.errors import not_found

    found = opened.anchors.waiting()
    if found is None:
        raise not_found("等待担保的锚", "anchor that waits for others,", "next")
    return found


def _write_anchor(path: Path, anchor: Anchor) -> None:
    path.write_text(output.json_text(anchor.to_json()) + "\n", "utf-8")


def _anchor_json(anchor: Anchor) -> dict[str, Any]:
    return {
        "region": anchor.region,
        "name": anchor.name,
        "sequence": anchor.sequence,
        "threshold": anchor.threshold,
        "roots": sorted(anchor.digests()),
        "signatures": len(anchor.signatures),
    }


def _anchor_told(anchor: Anchor, *, counts: bool, zh: bool) -> list[str]:
    heading = f"{anchor.region} {anchor.name}"
    lines = [f"{heading}，第 {anchor.sequence} 号锚" if zh else f"{heading}, anchor number {anchor.sequence}"]
    lines += [f"  SHA-256 {digest}" for digest in sorted(anchor.digests())]
    if not counts:
        lines.append(
            "  尚待其他根担保：请由其所在的库执行 certvault region cosign。"
            if zh
            else "  waits for other roots to vouch: have their vaults run certvault region cosign"
        )
    return lines


def _no_certificate(path: Path) -> RefusedError:
    from verify.formats.refusal import refuse

    return refuse(
        "CERTIFICATE_UNREADABLE",
        str(path),
        "文件中没有证书",
        "the file holds no certificate",
        remedy_zh="请给出 PEM 或 DER 格式的根证书。",
        remedy_en="Give a root certificate in PEM or DER.",
    )
