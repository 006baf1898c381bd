"""What a hostile site, a hostile neighbour or a hostile text may try in somebody's browser."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import create_app
from certvault.model.actor import LOCAL_OPERATOR
from tests.api.conftest import GENEROUS, Door, example

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

PAGE = {"Accept": "text/html"}
MARK = "<img src=x onerror=alert(1)>\"'&"


def form_of(page: str) -> str:
    """The hidden token of the page's sign-in form, else of its first form."""
    found = re.search(r'id="sign-in">\s*<input type="hidden" name="csrf" value="([^"]+)"', page) or re.search(
        r'name="csrf" value="([^"]+)"', page
    )
    assert found
    return found[1]


@pytest.fixture
def browser(door: Door) -> Iterator[TestClient]:
    """A browser of its own, at the same application."""
    client = TestClient(door.client.app, raise_server_exceptions=False, follow_redirects=False)
    yield client
    client.close()


def signed_in(browser: TestClient, token: str) -> str:
    """Sign in; gives the session's CSRF token."""
    csrf = form_of(browser.get("/sign-in").text)
    answer = browser.post("/sign-in", data={"token": token, "csrf": csrf})
    assert answer.status_code == 303
    return form_of(browser.get("/").text)


def test_cookies_are_out_of_reach(browser: TestClient, door: Door) -> None:
    page = browser.get("/sign-in?lang=en")
    answer = browser.post("/sign-in", data={"token": door.tokens["issuer"], "csrf": form_of(page.text)})
    for cookie in [*page.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]:
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    assert door.tokens["issuer"] not in str(answer.headers)


def test_cookies_of_a_secure_address_are_its_hosts_own(embedded_vault: Vault, door: Door) -> None:
    settings = dataclasses.replace(embedded_vault.settings, base_url="https://licenses.example")
    app = create_app(dataclasses.replace(embedded_vault, settings=settings), limits=GENEROUS)
    browser = TestClient(app, base_url="https://licenses.example", follow_redirects=False)
    page = browser.get("/sign-in?lang=en")
    answer = browser.post("/sign-in", data={"token": door.tokens["issuer"], "csrf": form_of(page.text)})
    assert answer.status_code == 303
    cookies = [*page.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]
    assert len(cookies) >= 3
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
    assert "max-age" in answer.headers["strict-transport-security"]
    assert browser.get("/issue").status_code == 200
    planted = TestClient(app, base_url="https://licenses.example", cookies={"certvault_form": "planted"})
    assert planted.post("/sign-in", data={"token": "x", "csrf": "planted"}).status_code == 403


def test_a_session_planted_before_is_not_taken_over(browser: TestClient, door: Door) -> None:
    browser.cookies.set("certvault_session", "planted")
    signed_in(browser, door.tokens["issuer"])
    names = [c.value for c in browser.cookies.jar if c.name == "certvault_session"]
    assert any(n != "planted" for n in names)
    other = TestClient(door.client.app, cookies={"certvault_session": "planted"}, follow_redirects=False)
    assert other.get("/issue").status_code == 303


def test_signing_in_again_and_out_ends_the_session_before(browser: TestClient, door: Door) -> None:
    signed_in(browser, door.tokens["issuer"])
    first = browser.cookies["certvault_session"]
    csrf = signed_in(browser, door.tokens["issuer"])
    second = browser.cookies["certvault_session"]
    assert first != second

    def works(name: str) -> bool:
        other = TestClient(door.client.app, cookies={"certvault_session": name}, follow_redirects=False)
        return bool(other.get("/issue").status_code == 200)

    assert not works(first)
    assert works(second)
    assert browser.post("/sign-out", data={"csrf": csrf}).status_code == 303
    assert not works(second)


def test_every_form_of_a_page_asks_for_its_token(browser: TestClient, door: Door) -> None:
    from api.pages import home, issue, sign_in, verify, wallet

    csrf = signed_in(browser, door.tokens["operator"])
    paths = [
        r.path
        for module in (home, issue, sign_in, verify, wallet)
        for r in module.router.routes
        if isinstance(r, APIRoute) and set(r.methods or ()) & {"POST", "PUT", "PATCH", "DELETE"}
    ]
    assert len(paths) >= 3
    for path in paths:
        address = path.replace("{type_name}", "food-business-license")
        for given in ({}, {"csrf": ""}, {"csrf": csrf[:-1]}, {"csrf": csrf + "x"}):
            answer = browser.post(address, data={**given, "token": door.tokens["operator"]}, headers=PAGE)
            assert answer.status_code == 403, (address, given)
    assert browser.get("/issue").status_code == 200  # and nobody was signed out


def test_no_change_through_the_interface_by_cookie_alone(browser: TestClient, door: Door) -> None:
    signed_in(browser, door.tokens["issuer"])
    body = {"type": "food-business-license", "data": example("food-business-license")}
    for headers in ({}, {"X-CSRF-Token": "x"}, {"Origin": "https://evil.example"}):
        assert browser.post("/v1/licenses", json=body, headers=headers).status_code == 403
        files = {"file": ("a.csv", b"x\n1\n")}
        answer = browser.post("/v1/mintings", files=files, data={"type": "x"}, headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/%2f%2fevil.example", "/%5c%5cevil.example", "/\\evil.example", "///evil.example"]
)
def test_no_link_leads_to_another_host(browser: TestClient, path: str) -> None:
    answer = browser.get(f"http://testserver{path}", headers=PAGE)
    assert answer.status_code == 404
    for target in re.findall(r'(?:href|src|action)="([^"]*)"', answer.text):
        assert re.match(r"(/[^/\\]|/$|#|data:)", target), target


def test_the_host_that_a_request_names_is_believed_nowhere(browser: TestClient, door: Door) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", **PAGE}
    for path in (
        "/",
        "/issue",
        "/wallet",
        "/sign-in",
        "/verify",
        "/v1/types",
        "/v1/types/",
        "/issue/",
        "/openapi.json",
    ):
        answer = browser.get(path, headers=headers)
        assert "evil" not in answer.text, path
        assert "evil" not in str(answer.headers), path
    listed = browser.get("/v1/licenses", headers={**headers, **door.as_("issuer")})
    assert "evil" not in listed.text


def test_no_other_site_may_read(browser: TestClient, door: Door) -> None:
    from_there = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/v1/licenses", "/v1/verifications", "/v1/wallet", "/", "/v1/types"):
        for method in ("OPTIONS", "GET", "POST"):
            answer = browser.request(method, path, headers={**from_there, **door.as_("issuer")})
            assert "access-control-allow-origin" not in answer.headers, (method, path)


def test_what_is_personal_is_kept_nowhere(browser: TestClient, door: Door, issued: IssuedLicense) -> None:
    base = f"/v1/licenses/{issued.identifier}"
    for path in ("/v1/licenses", base, f"{base}/pdf", f"{base}/record", "/v1/wallet", "/v1/wallet/archive"):
        answer = browser.get(path, headers=door.as_("holder"))
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff"
        if not answer.headers["content-type"].startswith("application/json"):
            assert answer.headers["content-disposition"].startswith("attachment; ")
    assert browser.get("/static/nothing.js").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", ['a"; filename="b.exe', "a\r\nSet-Cookie: x=y", "../../a", "名\u202e.pdf", "a" * 500])
def test_names_of_downloads_cannot_be_broken_out_of(name: str) -> None:
    from api.routes.licenses import attachment

    header = attachment(f"{name}.pdf")["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="[0-9A-Za-z._-]{1,150}"', header)


def test_markup_in_data_stays_text_on_every_page(browser: TestClient, door: Door) -> None:
    csrf = signed_in(browser, door.tokens["operator"])
    data = example("food-business-license") | {"operator_name": MARK, "remarks": MARK, "credit_code": MARK}
    shown = browser.post("/issue/food-business-license", data={**data, "csrf": csrf, "once": MARK}, headers=PAGE)
    assert shown.status_code == 422
    assert "<img src=x" not in shown.text
    assert "onerror=alert(1)&gt;" in shown.text
    for path in (f"/issue/{MARK}", f"/{MARK}", f"/verify?lang={MARK}", f"/v1/licenses/{MARK}", f"/v1/types/{MARK}"):
        answer = browser.get(path, headers=PAGE)
        assert "<img src=x" not in answer.text, path


def test_markup_in_an_issued_license_stays_text(browser: TestClient, door: Door, embedded_vault: Vault) -> None:
    data = example("food-business-license") | {
        "operator_name": "<b>甲</b><script>1</script>",
        "certificate_number": "JY24102040000099",
    }
    made = embedded_vault.issuing.issue("food-business-license", data, actor=LOCAL_OPERATOR)
    code = embedded_vault.licenses.get(made.identifier, LOCAL_OPERATOR).holders[0].code
    token = embedded_vault.tokens.create("holder", actor=LOCAL_OPERATOR, holder_code=code)
    signed_in(browser, token)
    page = browser.get("/wallet")
    assert page.status_code == 200
    assert "<b>甲" not in page.text
    assert "<script>1" not in page.text
    archive = browser.get("/v1/wallet/archive")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert all(re.fullmatch(r"[^/\\:]+|(pdf|records)/[^/\\:]+", n) and ".." not in n for n in opened.namelist())
        assert b"<b>\xe7\x94\xb2" not in opened.read("index.html")
