"""The audit page in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

ROWS = "#lines tbody tr"


def test_an_auditor_filters_by_kind_object_actor_and_day(
    page: Page, address: str, issued: IssuedLicense, link: Callable[[str], str]
) -> None:
    page.goto(link("auditor"))
    page.wait_for_url(f"{address}/audit")
    page.select_option("#kind", "LICENSE_")
    page.click("form.filter button")
    kinds = page.locator(f"{ROWS} td:nth-child(2)").all_inner_texts()
    assert kinds
    assert all("LICENSE_" in k for k in kinds)
    page.fill("#object", issued.identifier)
    page.select_option("#kind", "")
    page.click("form.filter button")
    assert {r.strip() for r in page.locator(f"{ROWS} td:nth-child(3)").all_inner_texts()} == {issued.identifier}
    shown = page.inner_text("#lines")
    assert "签发证照" in shown
    assert "用章" in shown
    page.fill("#last", "2020-01-01")
    page.click("form.filter button")
    assert "没有符合条件的记录" in page.inner_text("main")
    page.goto(f"{address}/audit?first=2020-01-01&actor=local-operator")
    assert {r.strip() for r in page.locator(f"{ROWS} td:nth-child(4)").all_inner_texts()} == {"local-operator"}


def test_pages_of_lines_follow_each_other_without_gap(
    page: Page, address: str, embedded_vault: Vault, issued: IssuedLicense, link: Callable[[str], str]
) -> None:
    from certvault.model.actor import LOCAL_OPERATOR
    from certvault.model.views import AuditFilter

    for _ in range(30):  # enough for a second page
        embedded_vault.tokens.revoke(
            embedded_vault.tokens.create("verifier", actor=LOCAL_OPERATOR).split("_")[1], LOCAL_OPERATOR
        )
    page.goto(link("auditor"))
    page.wait_for_url(f"{address}/audit")
    page.goto(f"{address}/audit?kind=TOKEN_")
    first = page.locator(f"{ROWS} td:last-child").all_inner_texts()
    page.click("#more")
    second = page.locator(f"{ROWS} td:last-child").all_inner_texts()
    assert len(first) == 50
    assert not set(first) & set(second)
    known = embedded_vault.audit.find(LOCAL_OPERATOR, AuditFilter(kind="TOKEN_"), limit=500).items
    shown = [f"{e.writer[:8]}#{e.seq}" for e in known]
    assert [*first, *second] == shown[: len(first) + len(second)]


def test_the_check_says_that_all_is_whole_and_anchors_are_good(
    page: Page, address: str, link: Callable[[str], str]
) -> None:
    page.goto(link("auditor"))
    page.wait_for_url(f"{address}/audit")
    page.click("#check")
    assert "记录完整" in page.inner_text("#checked")
    assert {t.strip() for t in page.locator("#anchors td:last-child").all_inner_texts()} == {"有效"}


@pytest.mark.parametrize("role", ["issuer", "custodian", "verifier", "holder"])
def test_others_do_not_see_the_audit(page: Page, address: str, role: str, link: Callable[[str], str]) -> None:
    page.goto(link(role))
    page.wait_for_load_state()
    page.wait_for_function("() => !location.pathname.startsWith('/sign-in')")
    answer = page.goto(f"{address}/audit")
    assert answer
    assert answer.status == 403
    assert page.locator("nav a[href='/audit']").count() == 0


def test_strangers_are_asked_to_sign_in_and_a_check_needs_the_form(
    page: Page, address: str, link: Callable[[str], str]
) -> None:
    assert httpx.get(f"{address}/audit").headers["location"] == "/sign-in"
    assert httpx.post(f"{address}/audit/check").headers["location"] == "/sign-in"
    page.goto(link("auditor"))
    page.wait_for_url(f"{address}/audit")
    cookies = {c["name"]: c["value"] for c in page.context.cookies()}
    answer = httpx.post(f"{address}/audit/check", cookies=cookies, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (403, "CSRF")


@pytest.mark.parametrize(
    "query",
    ["first=yesterday", "first=0001-01-01", "last=9999-12-31", "object=%00%25_", "kind=%27%22%3Cb%3E", "actor=%25",
     "cursor=AAAA", "object=" + "x" * 900],
)  # fmt: skip
def test_a_senseless_filter_is_answered_and_shown_as_text(
    page: Page, address: str, query: str, link: Callable[[str], str]
) -> None:
    page.goto(link("auditor"))
    page.wait_for_url(f"{address}/audit")
    answer = page.goto(f"{address}/audit?{query}")
    assert answer
    assert answer.status in (200, 422, 404, 400)
    assert page.locator("main b:text('>')").count() == 0
    assert page.locator(ROWS).count() == 0


@pytest.mark.parametrize("width", [360, 1200])
def test_the_audit_is_no_wider_than_the_screen(
    page: Page, address: str, width: int, issued: IssuedLicense, link: Callable[[str], str]
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(link("auditor"))
    page.wait_for_url(f"{address}/audit")
    page.goto(f"{address}/audit?lang=en")
    assert "Audit" in page.inner_text("h1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.locator("input:not([type=hidden]), select").all():
        assert box.evaluate("e => e.labels.length") > 0
