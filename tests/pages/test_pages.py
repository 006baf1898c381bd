"""The pages in a real browser."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.api.conftest import example
from tests.api.test_verifications import code_of
from tests.support.seals import Maker, make_pki

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from certvault.model.views import IssuedLicense

VERDICT = "article.verdict"


def test_a_genuine_and_an_edited_file_show_both_verdicts(
    page: Page, address: str, issued: IssuedLicense, tmp_path: Path
) -> None:
    edited = bytearray(issued.pdf)
    edited[len(edited) // 2] ^= 1
    (tmp_path / "genuine.pdf").write_bytes(issued.pdf)
    (tmp_path / "edited.pdf").write_bytes(bytes(edited))
    page.goto(f"{address}/verify")
    page.set_input_files("#files", [tmp_path / "genuine.pdf", tmp_path / "edited.pdf"])
    page.wait_for_selector(VERDICT)
    good, bad = page.locator(VERDICT).all()
    assert good.get_attribute("data-conclusion") == "VALID"
    assert "真实，当前有效" in good.inner_text()
    assert issued.number in good.inner_text()
    assert "经营者名称" in good.inner_text()
    assert bad.get_attribute("data-integrity") == "ALTERED"
    assert "已被改动，不可采信" in bad.inner_text()
    assert "DIGEST_MISMATCH" in bad.inner_text()
    assert issued.number not in bad.inner_text()


def test_a_signed_report_is_downloaded(page: Page, address: str, issued: IssuedLicense, tmp_path: Path) -> None:
    (tmp_path / "genuine.pdf").write_bytes(issued.pdf)
    page.goto(f"{address}/verify")
    page.set_input_files("#files", tmp_path / "genuine.pdf")
    for kind, begins in (("pdf", b"%PDF"), ("html", b"<!DOCTYPE html>")):
        with page.expect_download() as download:
            page.click(f"{VERDICT} [data-report={kind}]")
        assert download.value.suggested_filename == f"report-genuine.{kind}"
        assert Path(download.value.path()).read_bytes().startswith(begins)


def test_a_seal_and_its_value_say_what_they_are(page: Page, address: str, tmp_path: Path) -> None:
    """Nobody here made them, so they are open; one that was changed is refused; each has its report."""
    maker = Maker(make_pki(tmp_path), datetime.now(UTC).replace(microsecond=0))
    (tmp_path / "seal.esl").write_bytes(maker.seal(4))
    (tmp_path / "value.dat").write_bytes(maker.signature(4, b"doc"))
    (tmp_path / "changed.esl").write_bytes(maker.seal(4).replace(b"test seal", b"best seal"))
    page.goto(f"{address}/verify")
    page.set_input_files("#files", [tmp_path / n for n in ("seal.esl", "value.dat", "changed.esl")])
    page.wait_for_selector(VERDICT)
    seal, value, changed = page.locator(VERDICT).all()
    for card in (seal, value):
        assert card.get_attribute("data-conclusion") == "INDETERMINATE"
        assert "印章未被改动，但无法确认" in card.inner_text()
        assert "ses-v4" in card.inner_text()
    assert "SEAL_ALONE" in seal.inner_text()
    assert "只有签章值，没有被签章的原文" in value.inner_text()
    assert changed.get_attribute("data-integrity") == "ALTERED"
    assert "制章者对印章的签名不正确" in changed.inner_text()
    with page.expect_download() as download:
        page.click(f"{VERDICT}:first-of-type [data-report=html]")
    assert "电子印章" in Path(download.value.path()).read_text("utf-8")


def test_an_encrypted_file_asks_for_its_password(page: Page, address: str, tmp_path: Path) -> None:
    from tests.unit.test_verify_pdffile import encrypted

    (tmp_path / "closed.pdf").write_bytes(encrypted("aes256", "open sesame", "owner"))
    page.goto(f"{address}/verify")
    page.set_input_files("#files", tmp_path / "closed.pdf")
    for password, told in (("wrong", "已加密，需要口令"), ("open sesame", "没有签章，无法确认")):
        page.wait_for_selector(f"{VERDICT} .password")
        assert "已加密，需要口令" in page.inner_text(VERDICT)
        page.fill(f"{VERDICT} .password input", password)
        with page.expect_response("**/v1/verifications*"):
            page.click(f"{VERDICT} .password button")
        page.wait_for_function(
            "(told) => document.querySelector('article.verdict h2')?.innerText.includes(told)", arg=told
        )
    assert page.locator(f"{VERDICT} .password").count() == 0
    with page.expect_download() as download:
        page.click(f"{VERDICT} [data-report=html]")
    assert "PDF_ENCRYPTED" not in Path(download.value.path()).read_text("utf-8")


def test_expired_is_shown_as_genuine(page: Page, address: str, issued: IssuedLicense, tmp_path: Path) -> None:
    """A license out of force and a forged one must not look alike."""
    (tmp_path / "a.pdf").write_bytes(issued.pdf)
    page.route("**/v1/verifications*", lambda r: r.continue_(url=r.request.url + "&at=2029-06-01T00:00:00Z"))
    page.goto(f"{address}/verify?lang=en")
    page.set_input_files("#files", tmp_path / "a.pdf")
    verdict = page.wait_for_selector(VERDICT)
    assert verdict
    assert "lapsed" in (verdict.get_attribute("class") or "")
    assert "Genuine, but expired" in verdict.inner_text()


def test_a_picture_of_the_code(page: Page, address: str, issued: IssuedLicense, tmp_path: Path) -> None:
    import pypdfium2

    pypdfium2.PdfDocument(issued.pdf)[0].render(scale=3).to_pil().save(tmp_path / "photo.png")
    page.goto(f"{address}/verify")
    page.set_input_files("#picture", tmp_path / "photo.png")
    verdict = page.wait_for_selector(VERDICT)
    assert verdict
    assert verdict.get_attribute("data-conclusion") == "VALID"


def test_a_scanned_address_is_judged_without_its_fragment_leaving(
    page: Page, address: str, issued: IssuedLicense
) -> None:
    fragment = code_of(issued.pdf).partition("#")[2]
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(f"{address}/verify#{fragment}")
    verdict = page.wait_for_selector(VERDICT)
    assert verdict
    assert verdict.get_attribute("data-conclusion") == "VALID"
    assert verdict.get_attribute("data-standing") == "IN_FORCE"
    secret = fragment.removeprefix("c=")
    posted = [u for u in asked if "/v1/verifications" in u]
    assert posted
    assert not any(secret in u for u in posted)


def test_a_pasted_record(page: Page, address: str, issued: IssuedLicense) -> None:
    page.goto(f"{address}/verify")
    page.fill("#text", issued.record)
    page.click("#paste button")
    verdict = page.wait_for_selector(VERDICT)
    assert verdict
    assert verdict.get_attribute("data-conclusion") == "VALID"


def test_markup_in_what_is_judged_stays_text(page: Page, address: str, tmp_path: Path) -> None:
    name = "<img src=x onerror=document.title='bad'>.pdf"
    (tmp_path / name.replace("/", "")).write_bytes(b"%PDF-1.7 nonsense")
    page.goto(f"{address}/verify")
    page.set_input_files("#files", tmp_path / name)
    page.wait_for_selector(VERDICT)
    assert page.locator(f"{VERDICT} img").count() == 0
    assert "<img" in page.locator(f"{VERDICT} .file").inner_text()


def test_signing_in_issuing_and_downloading(page: Page, address: str, link: Callable[[str], str]) -> None:
    page.goto(link("operator"))
    page.wait_for_url(f"{address}/issue")
    page.click("text=食品经营许可证")
    data = example("food-business-license")
    for name, value in {**data, "complaint_phone": ""}.items():
        box = page.locator(f"[name={name}]")
        if box.evaluate("e => e.tagName") == "SELECT":
            box.select_option(str(value))
        else:
            box.fill(str(value))
    page.fill("[name=credit_code]", "91410200MA9G2LRQ63")
    page.click("main form button[type=submit]")
    fault = page.locator("#e-credit_code")
    fault.wait_for()
    assert page.locator("[name=credit_code]").get_attribute("aria-invalid") == "true"
    assert page.locator("[name=operator_name]").input_value() == data["operator_name"]
    page.fill("[name=credit_code]", data["credit_code"])
    page.fill("[name=complaint_phone]", data.get("complaint_phone", "12315"))
    page.click("main form button[type=submit]")
    page.wait_for_selector("#issued")
    with page.expect_download() as waiting:
        page.click("#download-pdf")
    assert re.fullmatch(r"[0-9A-Z.]+\.pdf", waiting.value.suggested_filename)
    assert Path(waiting.value.path()).read_bytes().startswith(b"%PDF")


def test_a_form_sent_twice_issues_once(page: Page, address: str, link: Callable[[str], str]) -> None:
    page.goto(link("issuer"))
    page.wait_for_url(f"{address}/issue")
    page.goto(f"{address}/issue/road-transport-license")
    for name, value in example("road-transport-license").items():
        page.fill(f"[name={name}]", str(value))
    form = page.evaluate("Object.fromEntries(new FormData(document.querySelector('main form')))")
    made = [page.request.post(f"{address}/issue/road-transport-license", form=form).text() for _ in range(2)]
    found = [re.search(r"<code>(1\.2\.156[^<]+)</code>", text) for text in made]
    assert found[0]
    assert found[1]
    assert found[0][1] == found[1][1]


def test_a_holder_takes_the_wallet_along(
    page: Page, address: str, link: Callable[[str], str], issued: IssuedLicense
) -> None:
    page.goto(link("holder"))
    page.wait_for_url(f"{address}/wallet")
    assert issued.identifier in page.inner_text("main")
    with page.expect_download() as waiting:
        page.click("#archive")
    with zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes())) as archive:
        assert "index.html" in archive.namelist()
    page.goto(f"{address}/issue")
    assert "无权" in page.inner_text("main")


def test_a_pasted_token(page: Page, address: str, link: Callable[[str], str]) -> None:
    token = link("issuer").partition("#t=")[2]
    page.goto(f"{address}/issue")
    assert page.url == f"{address}/sign-in"
    page.fill("#token", "cv_0123456789abcdef_wrong")
    page.click("main form button")
    assert "令牌无效" in page.inner_text("main")
    page.fill("#token", token)
    page.click("main form button")
    page.wait_for_url(f"{address}/issue")
    page.click("text=退出")
    page.wait_for_url(f"{address}/")
    page.goto(f"{address}/issue")
    assert page.url == f"{address}/sign-in"


def test_the_sign_in_link_leaves_no_token_behind(
    page: Page, context: BrowserContext, address: str, link: Callable[[str], str]
) -> None:
    signed = link("operator")
    token = signed.partition("#t=")[2]
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(signed)
    page.wait_for_url(f"{address}/issue")
    assert not any(token in url.partition("#")[0] for url in asked)
    cookies = {c["name"]: c for c in context.cookies()}
    session = cookies["certvault_session"]
    assert session["httpOnly"]
    assert session["sameSite"] == "Strict"
    assert token not in session["value"]


def test_forms_of_other_sites_are_refused(
    page: Page, context: BrowserContext, address: str, link: Callable[[str], str]
) -> None:
    page.goto(link("operator"))
    page.wait_for_url(f"{address}/issue")
    for path, form in (
        ("/issue/road-transport-license", {"csrf": "x"}),
        ("/issue/road-transport-license", {}),
        ("/sign-out", {}),
        ("/sign-in", {"token": "x", "csrf": "x"}),
    ):
        answer = context.request.post(f"{address}{path}", form=form)
        assert answer.status == 403, path
    bare = context.request.post(f"{address}/v1/licenses", data={"type": "road-transport-license", "data": {}})
    assert bare.status == 403
    assert bare.json()["code"] == "CSRF"


def test_english_by_choice_and_it_stays(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.click("#language")
    assert page.locator("html").get_attribute("lang") == "en"
    page.goto(f"{address}/verify")
    assert "Verify a license" in page.inner_text("h1")


@pytest.mark.parametrize("path", ["/", "/verify", "/sign-in"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_screen(page: Page, address: str, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{address}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.locator("input:not([type=hidden]), textarea, select").all():
        label = box.evaluate("e => e.labels.length")
        assert label > 0


def test_a_missing_page_is_a_page(page: Page, address: str) -> None:
    answer = page.goto(f"{address}/nothing")
    assert answer
    assert answer.status == 404
    assert "未找到" in page.inner_text("h1")
