"""The pages of seals in a real browser: a life to its end, who may do what, pictures that are refused."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image, ImageDraw

from certvault.model.actor import LOCAL_OPERATOR
from certvault.seals import Wanted

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

SignIn = Callable[[str], str]


@pytest.fixture
def other(browser: Browser, address: str) -> Iterator[Page]:
    """A second person's browser."""
    context = browser.new_context(locale="en-US")
    yield context.new_page()
    context.close()


def enter(page: Page, link: SignIn, role: str) -> None:
    page.goto(link(role))
    page.wait_for_function("() => !location.pathname.startsWith('/sign-in')")


def state(page: Page) -> str:
    return page.locator("#state").get_attribute("data-state") or ""


def take(page: Page, step: str, *, reason: str = "", number: str = "") -> None:
    details = page.locator(f"#step-{step}")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    details.locator("input[name=reason]").fill(reason)
    if number:
        details.locator("input[name=number]").fill(number)
    details.locator("button").click()
    page.wait_for_load_state()


def png(colour: tuple[int, int, int, int] = (200, 16, 24, 255), side: int = 500) -> bytes:
    picture = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((5, 5, side - 6, side - 6), outline=colour, width=side // 12)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_a_seal_from_application_to_the_end_by_two_people(
    page: Page, other: Page, address: str, link: SignIn, embedded_vault: Vault
) -> None:
    enter(page, link, "custodian")
    enter(other, link, "custodian")
    assert page.url == f"{address}/seals"
    page.click("#apply")
    page.select_option("#f-kind", "business")
    page.fill("#f-purpose", "出入境管理专用章")
    page.fill("#f-serial", "(2)")
    page.fill("#f-purposes", "contract，notice")
    page.click("button[value=preview]")
    shown = page.locator("#preview img")
    assert shown.evaluate("i => i.complete && i.naturalWidth") == round(40 / 25.4 * 300)
    assert page.input_value("#f-purpose") == "出入境管理专用章"
    page.fill("#f-reason", "新设窗口")
    page.click("button[value=apply]")
    page.wait_for_url(re.compile(r"/seals/\d{14}$"))
    seal_id = page.inner_text("#number")
    assert state(page) == "APPLIED"
    assert "新设窗口" in page.inner_text("#log")
    assert "contract notice" in page.inner_text(".sealhead")

    take(page, "approve")
    assert "SEAL_FOUR_EYES" in page.inner_text("#refused")
    assert state(page) == "APPLIED"
    other.goto(page.url if re.search(r"\d$", page.url) else f"{address}/seals/{seal_id}")
    take(other, "approve", reason="同意")
    assert state(other) == "APPROVED"
    take(other, "make")
    assert state(other) == "MADE"
    take(other, "activate")
    assert state(other) == "ACTIVE"
    picture = other.request.get(f"{address}/seals/{seal_id}/pictures/1.png")
    assert Image.open(io.BytesIO(picture.body())).size == (315, 315)

    take(other, "suspend", reason="保管人休假")
    assert state(other) == "SUSPENDED"
    take(other, "resume")
    assert state(other) == "ACTIVE"

    page.goto(f"{address}/seals/{seal_id}/change")
    assert page.input_value("#f-purpose") == "出入境管理专用章"
    assert page.input_value("#f-purposes") == "contract notice"
    page.set_input_files("#f-picture", {"name": "a.png", "mimeType": "image/png", "buffer": png()})
    page.click("button[value=preview]")
    assert page.locator("#preview img").evaluate("i => i.naturalWidth") == 500
    page.click("button[value=apply]")  # the picture is not chosen again
    page.wait_for_url(f"{address}/seals/{seal_id}")
    other.goto(f"{address}/seals/{seal_id}")
    for step in ("approve", "make", "activate"):
        take(other, step)
    assert [v.state.value for v in embedded_vault.seals.get(seal_id, LOCAL_OPERATOR).versions] == [
        "SUPERSEDED",
        "ACTIVE",
    ]
    changed = other.request.get(f"{address}/seals/{seal_id}/pictures/2.png")
    assert Image.open(io.BytesIO(changed.body())).size == (500, 500)

    take(other, "retire", reason="机构撤销", number="00000000000000")
    assert "SEAL_OPTION" in other.inner_text("#refused")
    assert state(other) == "ACTIVE"
    other.goto(f"{address}/seals/{seal_id}")
    take(other, "retire", reason="机构撤销", number=seal_id)
    assert state(other) == "RETIRED"
    take(other, "destroy", number=seal_id)
    assert state(other) == "DESTROYED"
    assert other.locator("#steps").count() == 0
    assert other.locator("#log tbody tr").count() == 12


def test_uses_of_a_seal_are_listed_with_what_was_sealed(
    page: Page, address: str, link: SignIn, issued: IssuedLicense, embedded_vault: Vault
) -> None:
    enter(page, link, "auditor")
    first = embedded_vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    page.goto(f"{address}/seals/{first}")
    assert issued.identifier in page.inner_text("#uses")
    assert page.locator("#steps").count() == 0
    page.click("text=查看审计记录")
    page.wait_for_url(re.compile("/audit"))
    assert "SEAL_ACTIVATE" in page.inner_text("#lines")


def test_what_cannot_be_drawn_is_said_beside_its_field(page: Page, address: str, link: SignIn) -> None:
    enter(page, link, "issuer")
    page.goto(f"{address}/seals/new?lang=en")
    page.click("button[value=preview]")
    assert "no kind of seal is chosen" in page.inner_text("#e-kind")
    page.select_option("#f-kind", "legal-representative")
    page.fill("#f-person", "བོད")
    page.fill("#f-diameter", "20")
    page.click("button[value=apply]")
    assert "Tibetan" in page.inner_text("main .fault")
    page.fill("#f-person", "买买提·艾力")
    page.fill("#f-diameter", "4x")
    page.fill("#f-max_uses", "-1")
    page.click("button[value=preview]")
    assert page.locator("#preview").count() == 0
    assert "whole number" in page.inner_text("#e-diameter")
    assert "whole number" in page.inner_text("#e-max_uses")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "不是 PNG 图片"),
        (png((0, 0, 0, 255)), "为红色"),
        (png(side=200), "dpi"),
        (png()[:-30], "图片损坏"),
        (png() + b"x", "图片结尾之后"),
        (b"\x89PNG\r\n\x1a\n" + bytes(5_000_000), "文件超过"),
    ],
    ids=["svg", "black", "coarse", "truncated", "tail", "large"],
)
def test_pictures_that_are_refused(page: Page, address: str, link: SignIn, data: bytes, told: str) -> None:
    enter(page, link, "custodian")
    page.goto(f"{address}/seals/new")
    page.select_option("#f-kind", "official")
    page.set_input_files("#f-picture", {"name": "a.png", "mimeType": "image/png", "buffer": data})
    page.click("button[value=apply]")
    assert told in page.inner_text("#e-picture")


def test_a_seal_in_another_script_is_uploaded(page: Page, address: str, link: SignIn) -> None:
    enter(page, link, "custodian")
    page.goto(f"{address}/seals/new")
    page.select_option("#f-kind", "official")
    page.fill("#f-name", "བོད་ལྗོངས་")
    page.set_input_files("#f-picture", {"name": "a.png", "mimeType": "image/png", "buffer": png()})
    page.click("button[value=apply]")
    page.wait_for_url(re.compile(r"/seals/\d{14}$"))
    assert state(page) == "APPLIED"


def test_who_may_see_and_who_may_act(page: Page, address: str, link: SignIn, embedded_vault: Vault) -> None:
    first = embedded_vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    for path in ("/seals", "/seals/new", f"/seals/{first}", f"/seals/{first}/change"):
        assert httpx.get(f"{address}{path}").headers["location"] == "/sign-in"
    assert httpx.get(f"{address}/seals/{first}/pictures/1.png").status_code == 401
    for role, seals, apply, act in (("holder", 403, 403, 403), ("verifier", 403, 403, 403), ("auditor", 200, 403, 403),
                                    ("issuer", 200, 200, 403)):  # fmt: skip
        enter(page, link, role)
        csrf = page.locator("input[name=csrf]").first.get_attribute("value") or ""
        assert page.request.get(f"{address}/seals/{first}").status == seals
        assert page.request.get(f"{address}/seals/new").status == apply
        answer = page.request.post(f"{address}/seals/{first}/suspend", form={"csrf": csrf, "reason": "x"})
        assert answer.status == act
        page.context.clear_cookies()
    assert embedded_vault.seals.get(first, LOCAL_OPERATOR).seal.state.value == "ACTIVE"


def test_every_change_needs_the_form(page: Page, address: str, link: SignIn, embedded_vault: Vault) -> None:
    known = embedded_vault.seals.apply("contract", actor=LOCAL_OPERATOR, wanted=Wanted())
    enter(page, link, "custodian")
    for path in (f"{known.seal.id}/approve", f"{known.seal.id}/permits/{'0' * 32}/cancel", "draft"):
        answer = page.request.post(f"{address}/seals/{path}", multipart={"do": "apply", "kind": "official"})
        assert answer.status == 403, path
    assert embedded_vault.seals.get(known.seal.id, LOCAL_OPERATOR).seal.state.value == "APPLIED"


@pytest.mark.parametrize("path", ["/seals/41020000000000", "/seals/x", "/seals/%00", "/seals/1/pictures/1.png"])
def test_a_seal_that_is_not_there(page: Page, address: str, link: SignIn, path: str) -> None:
    enter(page, link, "custodian")
    assert page.request.get(f"{address}{path}").status == 404


def test_two_approvers_of_a_permit(page: Page, address: str, link: SignIn, embedded_vault: Vault) -> None:
    from certvault.model.sealrules import SealRules

    seals = embedded_vault.seals
    known = seals.apply("contract", actor=LOCAL_OPERATOR, wanted=Wanted(rules=SealRules(approvers=2)))
    for step in (seals.approve, seals.make, seals.activate):
        step(known.seal.id, LOCAL_OPERATOR)
    (permit,) = embedded_vault.seal_uses.permit(
        known.seal.id, ["ab" * 32], purpose="contract", actor=LOCAL_OPERATOR, user="token:someone"
    )
    enter(page, link, "custodian")
    page.goto(f"{address}/seals/{known.seal.id}?lang=en")
    assert "waits for a second approver" in page.inner_text("#permits")
    page.click("#permits button")
    page.wait_for_load_state()
    assert "may be used" in page.inner_text("#permits")
    page.click("#permits button")
    page.wait_for_load_state()
    assert "cancelled" in page.inner_text("#permits")
    (now,) = (p for p in embedded_vault.seal_uses.permits(known.seal.id, LOCAL_OPERATOR) if p.id == permit.id)
    assert now.cancelled_at is not None


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_of_seals_is_wider_than_the_screen(
    page: Page, address: str, link: SignIn, embedded_vault: Vault, width: int
) -> None:
    first = embedded_vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    page.set_viewport_size({"width": width, "height": 800})
    enter(page, link, "custodian")
    for path in ("/seals", f"/seals/{first}", "/seals/new", f"/seals/{first}/change"):
        page.goto(f"{address}{path}?lang=en")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        for box in page.locator("input:not([type=hidden]), select").all():
            assert box.evaluate("e => e.labels.length") > 0


def test_an_uploaded_pdf_is_sealed_at_a_place_on_a_text_and_across_edges(
    page: Page, address: str, link: SignIn, embedded_vault: Vault, tmp_path: Path
) -> None:
    import pypdfium2

    from tests.support.contracts import contract

    first = embedded_vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    enter(page, link, "custodian")
    seen: list[int] = []
    for place, fields in (
        ("position", {"#u-page": "2", "#u-x": "15", "#u-y": "25"}),
        ("keyword", {"#u-keyword": "甲方盖章"}),
        ("edges", {}),
    ):
        page.goto(f"{address}/seals/{first}")
        page.set_input_files("#u-file", {"name": "合同.pdf", "mimeType": "application/pdf", "buffer": contract(3)})
        page.check(f"#p-{place}")
        for name, value in fields.items():
            page.fill(name, value)
        page.fill("#u-purpose", "contract")
        with page.expect_download() as download:
            page.click("#use button[type=submit]")
        assert download.value.suggested_filename == "sealed.pdf"
        path = tmp_path / f"{place}.pdf"
        download.value.save_as(path)
        red = _reds(path)
        assert red == {"position": [False, True, False], "keyword": [True, False, False], "edges": [True] * 3}[place]
        document = pypdfium2.PdfDocument(path)
        seen.append(int(pypdfium2.raw.FPDF_GetSignatureCount(document)))
    assert seen == [1, 1, 1]
    page.goto(f"{address}/seals/{first}")
    assert page.locator("#uses tbody tr", has_text="文件").count() >= 3
    page.goto(f"{address}/verify")
    page.set_input_files("#files", tmp_path / "position.pdf")
    page.wait_for_selector("article.verdict")
    verdict = page.locator("article.verdict")
    assert verdict.get_attribute("data-integrity") == "INTACT"
    assert verdict.get_attribute("data-conclusion") == "VALID"


def _reds(path: Path) -> list[bool]:
    """Which pages show something red."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    document.init_forms()
    found = []
    for page in document:
        colours = page.render(scale=1).to_pil().convert("RGB").getcolors(1 << 22) or []
        found.append(any(r > 180 and g < 90 and b < 90 for _, (r, g, b) in colours))
    return found


@pytest.mark.parametrize(
    ("data", "fields", "told"),
    [
        (b"no pdf at all", {}, "refused"),
        (None, {"#u-page": "9"}, "refused"),
        (None, {"#u-x": "far"}, "毫米"),
        (None, {"#u-purpose": "two words"}, "用途"),
        (None, {"#u-permit": "0" * 32}, "用章许可"),
    ],
    ids=["no-pdf", "no-such-page", "no-number", "purpose", "permit"],
)
def test_what_cannot_be_sealed_is_said_on_the_page(
    page: Page, address: str, link: SignIn, embedded_vault: Vault, data: bytes | None, fields: dict[str, str], told: str
) -> None:
    from tests.support.contracts import contract

    first = embedded_vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    enter(page, link, "custodian")
    page.goto(f"{address}/seals/{first}")
    page.set_input_files(
        "#u-file", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": contract(2) if data is None else data}
    )
    for name, value in fields.items():
        page.fill(name, value)
    page.click("#use button[type=submit]")
    assert told == "refused" or told in page.inner_text("#refused")
    assert page.locator("#refused").count() == 1
    for name, value in fields.items():
        assert page.input_value(name) == value


def test_who_may_not_give_permits_uses_one_for_exactly_these_bytes(
    page: Page, other: Page, address: str, link: SignIn, embedded_vault: Vault
) -> None:
    import hashlib

    from tests.support.contracts import contract

    first = embedded_vault.seals.list(LOCAL_OPERATOR)[0].seal.id
    letter, another = contract(1), contract(2)
    enter(page, link, "custodian")
    enter(other, link, "issuer")
    label = other.request.get(f"{address}/seals").status
    assert label == 200
    other.goto(f"{address}/seals/{first}")
    other.set_input_files("#u-file", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": letter})
    other.click("#use button[type=submit]")
    assert "FORBIDDEN" in other.inner_text("#refused")
    issuer = max(
        (t for t in embedded_vault.tokens.list(LOCAL_OPERATOR) if t.role == "issuer"), key=lambda t: t.created_at
    )
    page.goto(f"{address}/seals/{first}")
    page.click("#give summary")
    page.fill("#g-digest", hashlib.sha256(letter).hexdigest())
    page.fill("#g-user", f"token:{issuer.id}")
    page.click("#give button")
    page.wait_for_load_state()
    (permit,) = (p for p in embedded_vault.seal_uses.permits(first, LOCAL_OPERATOR) if p.user == f"token:{issuer.id}")
    for data, worked in ((another, False), (letter, True), (letter, False)):
        other.goto(f"{address}/seals/{first}")
        other.set_input_files("#u-file", {"name": "a.pdf", "mimeType": "application/pdf", "buffer": data})
        other.fill("#u-permit", permit.id)
        if worked:
            with other.expect_download():
                other.click("#use button[type=submit]")
        else:
            other.click("#use button[type=submit]")
            assert "PERMIT_" in other.inner_text("#refused")
