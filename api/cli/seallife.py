"""``seal``: the life and the use of the vault's own seals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.issuers import IssuerOption, acting
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given

if TYPE_CHECKING:
    from certvault.model.seal import Life
    from certvault.seals import Wanted

SealArgument = Annotated[str, typer.Argument(metavar="SEAL", help="Its id, 14 digits")]
ReasonOption = Annotated[str, typer.Option(help="Why, without names of people", show_default=False)]
NameOption = Annotated[str | None, typer.Option(help="Name on the seal [the organization's]", show_default=False)]
DiameterOption = Annotated[int | None, typer.Option(help="Diameter, or side, in mm", show_default=False)]
PersonOption = Annotated[str | None, typer.Option(help="Name on a legal representative's seal", show_default=False)]
WordsOption = Annotated[str | None, typer.Option(help="A business seal's own purpose", show_default=False)]
ShapeOption = Annotated[str | None, typer.Option(metavar="round|square|oval", show_default=False)]
SerialOption = Annotated[str | None, typer.Option(help="Number below the star", show_default=False)]
PictureOption = Annotated[Path | None, typer.Option(metavar="FILE.png", help="Uploaded picture", show_default=False)]
ActorsOption = Annotated[
    str | None,
    typer.Option("--allow-actors", metavar="WHO,…", help="token:ID, role:R or label:L [all]", show_default=False),
]
TypesOption = Annotated[
    str | None, typer.Option("--allow-types", metavar="TYPE,…", help="License types [all]", show_default=False)
]
RegionsOption = Annotated[
    str | None, typer.Option("--allow-regions", metavar="CODE,…", help="Regions [all]", show_default=False)
]
PurposesOption = Annotated[
    str | None, typer.Option("--allow-purposes", metavar="WORD,…", help="Purposes [all]", show_default=False)
]
MaxUsesOption = Annotated[int | None, typer.Option(min=1, help="Most uses", show_default=False)]
UntilOption = Annotated[str | None, typer.Option("--use-until", metavar="TIME", show_default=False)]
ApproversOption = Annotated[int | None, typer.Option(min=1, max=2, help="Who gives leave to a use", show_default=False)]


def register(seals: typer.Typer) -> None:
    """Hang the commands on ``seals``."""
    for command in (apply, change, make, destroy, show, listed, log, permit, use):
        seals.command("list" if command is listed else command.__name__)(command)
    for name, words in _STEPS.items():
        seals.command(name)(_step(name, words))


def apply(
    *,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="official|finance|contract|invoice|legal-representative|business")
    ],
    issuer: IssuerOption = None,
    name: NameOption = None,
    diameter_mm: DiameterOption = None,
    person: PersonOption = None,
    words: WordsOption = None,
    shape: ShapeOption = None,
    serial: SerialOption = None,
    picture: PictureOption = None,
    actors: ActorsOption = None,
    types: TypesOption = None,
    regions: RegionsOption = None,
    purposes: PurposesOption = None,
    max_uses: MaxUsesOption = None,
    until: UntilOption = None,
    approvers: ApproversOption = None,
    reason: ReasonOption = "",
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Apply for a seal."""
    invocation = given(vault, as_json, lang)
    rules = (actors, types, regions, purposes, max_uses, until, approvers)
    wanted = _wanted(name, diameter_mm, (person, words, shape, serial, picture), rules)
    with invocation.open_vault() as opened:
        known = opened.seals.apply(kind, actor=acting(issuer), wanted=wanted, reason=reason)
        _show(invocation, known, opened.settings.base_url)


def change(
    *,
    seal: SealArgument,
    name: NameOption = None,
    diameter_mm: DiameterOption = None,
    person: PersonOption = None,
    words: WordsOption = None,
    shape: ShapeOption = None,
    serial: SerialOption = None,
    picture: PictureOption = None,
    actors: ActorsOption = None,
    types: TypesOption = None,
    regions: RegionsOption = None,
    purposes: PurposesOption = None,
    max_uses: MaxUsesOption = None,
    until: UntilOption = None,
    approvers: ApproversOption = None,
    reason: ReasonOption = "",
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Apply for another edition: picture, name, rules, or only a new key and certificate."""
    invocation = given(vault, as_json, lang)
    rules = (actors, types, regions, purposes, max_uses, until, approvers)
    wanted = _wanted(name, diameter_mm, (person, words, shape, serial, picture), rules)
    with invocation.open_vault() as opened:
        known = opened.seals.change(seal, actor=acting(None), wanted=wanted, reason=reason)
        _show(invocation, known, opened.settings.base_url)


def make(
    *,
    seal: SealArgument,
    exportable: Annotated[bool, typer.Option("--exportable", help="Make a key that can be backed up")] = False,
    reason: ReasonOption = "",
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make what was approved: key, certificate, seal structure."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened:
        known = opened.seals.make(seal, acting(None), reason, exportable=exportable)
        opened.seal_standings.structure(seal, known.waiting.version if known.waiting else None)
        _show(invocation, known, opened.settings.base_url)


def destroy(
    *,
    seal: SealArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
    reason: ReasonOption = "",
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Destroy the keys of a retired seal. What it sealed stays good."""
    invocation = given(vault, as_json, lang)
    if not yes:
        _confirm(invocation, seal)
    with invocation.open_vault() as opened:
        _show(invocation, opened.seals.destroy(seal, acting(None), reason), opened.settings.base_url)


def show(
    *,
    seal: SealArgument,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Was it good then? RFC 3339 or a date; a signed answer", show_default=False),
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Show a seal, or, with --at, the signed answer whether it was good at that moment."""
    invocation = given(vault, as_json, lang)
    from api.moments import moment
    from api.sealing import payload_of

    instant = None if at is None else moment(at)
    with invocation.open_vault() as opened:
        if instant is None:
            _show(invocation, opened.seals.get(seal, acting(None)), opened.settings.base_url)
            return
        jws = opened.seal_standings.answer(seal, instant)
    answer = payload_of(jws)
    since = answer["since"] or "–"
    output.show(
        invocation,
        {"answer": answer, "jws": jws},
        [f"{seal}  {answer['at']}", f"  {answer['status']}  ({since})", f"  {jws}"],
    )


def listed(
    *,
    issuer: IssuerOption = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """List the seals."""
    invocation = given(vault, as_json, lang)
    from api.sealing import seal_json

    with invocation.open_vault() as opened:
        found = opened.seals.list(acting(issuer))
        rows = [seal_json(known, opened.settings.base_url) | {"name": known.newest.name} for known in found]
    output.table(invocation, "seals", rows, ("id", "kind", "state", "version", "owner", "name"))


def log(*, seal: SealArgument, vault: VaultOption = None, as_json: JsonOption = False, lang: LangOption = None) -> None:
    """Every step of a seal's life, with actor and reason."""
    invocation = given(vault, as_json, lang)
    from api.sealing import event_json

    with invocation.open_vault() as opened:
        rows = [event_json(e) for e in opened.seals.log(seal, acting(None))]
    output.table(invocation, "events", rows, ("n", "at", "step", "state", "version", "edition", "actor", "reason"))


def permit(
    *,
    seal: SealArgument,
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE…", help="What may be sealed")] = None,
    digest: Annotated[
        list[str] | None, typer.Option(metavar="SHA256", help="Instead of a file", show_default=False)
    ] = None,
    purpose: Annotated[str, typer.Option(help="What for, one word")] = "document",
    user: Annotated[
        str | None, typer.Option(metavar="token:ID", help="Who may use it [you]", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="[10 minutes]", show_default=False)] = None,
    approve: Annotated[
        str | None, typer.Option(metavar="PERMIT", help="Be its second approver", show_default=False)
    ] = None,
    cancel: Annotated[str | None, typer.Option(metavar="PERMIT", help="Cancel it", show_default=False)] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Give leave to use a seal once on each file, approve or cancel a permit; without files list them."""
    invocation = given(vault, as_json, lang)
    from api.moments import moment
    from api.sealing import permit_json

    digests = [*(digest or ()), *(_sha256(path) for path in files or ())]
    instant = None if until is None else moment(until)
    with invocation.open_vault() as opened:
        uses, actor = opened.seal_uses, acting(None)
        if approve is not None:
            found = [uses.confirm(approve, actor, seal_id=seal)]
        elif cancel is not None:
            found = [uses.cancel(cancel, actor, seal_id=seal)]
        elif digests:
            found = uses.permit(seal, digests, purpose=purpose, actor=actor, user=user, until=instant)
        else:
            found = uses.permits(seal, actor)
    rows = [permit_json(p) for p in found]
    output.table(invocation, "permits", rows, ("permit", "purpose", "user", "expires_at", "approved", "digest"))


def use(
    *,
    seal: SealArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A PDF, or any file with --detached")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Where to write the result")],
    permit: Annotated[
        str | None, typer.Option(metavar="PERMIT", help="Leave given before [your own]", show_default=False)
    ] = None,
    purpose: Annotated[str, typer.Option(help="What for, one word")] = "document",
    profile: Annotated[str, typer.Option(metavar="pades|ses|both")] = "pades",
    detached: Annotated[bool, typer.Option("--detached", help="A signature beside the file")] = False,
    page: Annotated[int | None, typer.Option(help="The page that shows it; -1 is the last", show_default=False)] = None,
    at_mm: Annotated[
        str | None, typer.Option(metavar="X,Y", help="Gaps to the corner in mm", show_default=False)
    ] = None,
    corner: Annotated[str, typer.Option(metavar="top-left|top-right|bottom-left|bottom-right")] = "bottom-right",
    keyword: Annotated[str | None, typer.Option(metavar="TEXT", help="Over this text", show_default=False)] = None,
    occurrence: Annotated[int, typer.Option(help="Which of several; 0: all")] = 1,
    across: Annotated[bool, typer.Option("--across", help="Across the pages' edges, 骑缝章")] = False,
    edge: Annotated[str, typer.Option(metavar="left|right|top|bottom", help="Of --across")] = "right",
    baseline: Annotated[str, typer.Option(metavar="B-B|B-T|B-LT|B-LTA")] = "B-LT",
    field: Annotated[str | None, typer.Option(help="A signature field that is there", show_default=False)] = None,
    certify: Annotated[
        int | None, typer.Option(min=1, max=3, help="Certify: what may change later", show_default=False)
    ] = None,
    lock: Annotated[bool, typer.Option("--lock", help="No later change")] = False,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Seal a PDF, or any file detached. Earlier seals in the file stay good."""
    invocation = given(vault, as_json, lang)
    from api.sealing import use_json, way_of

    output.check_target(out)
    options: dict[str, Any] = {
        "profile": profile,
        "detached": detached,
        "page": page,
        "at_mm": at_mm,
        "corner": corner,
        "keyword": keyword,
        "occurrence": str(occurrence),
        "across": edge if across else None,
        "baseline": baseline,
        "field": field,
        "certify": certify,
        "lock": lock,
    }
    bar = output.ProgressBar()

    def told(stage: str, done: int, total: int) -> None:
        bar.update(done, total, stage)

    with invocation.open_vault() as opened:
        try:
            used = opened.seal_files.seal_path(
                seal, file, out, way_of(options), actor=acting(None), permit=permit, purpose=purpose, progress=told
            )
        finally:
            bar.finish()
    value = {"file": str(out), "sha256": _sha256(out), "use": use_json(used)}
    output.show(invocation, value, [f"{out}", f"  {used.seal_id}  v{used.seal_version}", f"  sha256 {value['sha256']}"])


_STEPS = {
    "approve": "Approve what was applied for; by another than who applied.",
    "reject": "Reject what was applied for. A reason is needed.",
    "activate": "Put the edition that was made to work; the one before it is superseded.",
    "suspend": "Let nobody use the seal for the time being. A reason is needed.",
    "resume": "Let a suspended seal be used again.",
    "retire": "End the seal's use for ever. A reason is needed.",
}


def _step(name: str, words: str) -> Callable[..., None]:
    def take(
        *,
        seal: SealArgument,
        reason: ReasonOption = "",
        vault: VaultOption = None,
        as_json: JsonOption = False,
        lang: LangOption = None,
    ) -> None:
        invocation = given(vault, as_json, lang)
        with invocation.open_vault() as opened:
            step: Callable[..., Life] = getattr(opened.seals, name)
            _show(invocation, step(seal, acting(None), reason), opened.settings.base_url)

    take.__name__ = name
    take.__doc__ = words
    return take


def _wanted(
    name: str | None,
    diameter_mm: int | None,
    extras: tuple[str | None, str | None, str | None, str | None, Path | None],
    rules: tuple[str | None, str | None, str | None, str | None, int | None, str | None, int | None],
) -> Wanted:
    from api.sealing import rules_of
    from certvault.sealart import Extras
    from certvault.seals import Wanted
    from templates.sealpicture import MAX_BYTES

    picture = None
    if extras[4] is not None:
        with extras[4].open("rb") as stream:
            picture = stream.read(MAX_BYTES + 1)
    members = ("actors", "types", "regions", "purposes", "max_uses", "until", "approvers")
    said = rules_of(dict(zip(members, rules, strict=True)))
    return Wanted(name, diameter_mm, said, Extras(*extras[:4], picture))


def _show(invocation: Invocation, known: Life, base_url: str) -> None:
    from api.sealing import seal_json

    value = seal_json(known, base_url)
    lines = [f"{value['id']}  {value['kind']}  {value['state']}  {value['owner']}"]
    lines += [f"  {v['version']}  {v['state']}  {v['name']}  {v['diameter_mm']} mm" for v in value["versions"]]
    output.show(invocation, value, lines)


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _confirm(invocation: Invocation, seal: str) -> None:
    """Have the seal's id typed again; refused where nobody sits at a terminal."""
    from verify.formats.refusal import refuse

    if sys.stdin.isatty():
        sys.stderr.write(f"输入 {seal} 以确认销毁：" if invocation.zh else f"Type {seal} to destroy its keys: ")
        sys.stderr.flush()
        if sys.stdin.readline().strip() == seal:
            return
    raise refuse(
        "NOT_CONFIRMED",
        "seal",
        "销毁印章密钥须经确认",
        "destroying a seal's keys has to be confirmed",
        remedy_zh="请输入印章编码，或加上 --yes。",
        remedy_en="Type the seal's id, or add --yes.",
    )
