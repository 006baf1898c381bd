"""pyHanko's own client of the remote signing API (version 1) signs PDFs through a served vault, and they are VALID."""

from __future__ import annotations

import asyncio
import hashlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import uvicorn
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import csc_signer as csc

from api.app import create_app
from api.cli.service import _behind
from api.connections import protocol
from certvault.bootstrap import InitOptions, create_vault
from certvault.model.actor import LOCAL_OPERATOR
from tests.api.conftest import GENEROUS

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

PAGES = 2


class Leave(csc.CSCAuthorizationManager):
    """Asks for leave for exactly the hashes that are to be signed."""

    def __init__(self, session: aiohttp.ClientSession, info: Any, credential: Any) -> None:
        super().__init__(info, credential)
        self.session = session

    async def authorize_signature(self, hash_b64s: list[str]) -> csc.CSCAuthorizationInfo:
        url = self.csc_session_info.endpoint_url("credentials/authorize")
        asked = self.format_csc_auth_request(hash_b64s=hash_b64s)
        async with self.session.post(url, headers=self.auth_headers, json=asked, raise_for_status=True) as answer:
            return self.parse_csc_auth_response(await answer.json())


@pytest.fixture(scope="module", params=["p256", "rsa3072"])
def vault(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    made = create_vault(InitOptions(folder=tmp_path_factory.mktemp("vault") / "var", keys="file", suite=request.param))
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(vault: Vault) -> Iterator[str]:
    """The service as ``serve`` runs it, on a port of its own."""
    door = socket.create_server(("127.0.0.1", 0))
    app = _behind(None, create_app(vault, limits=GENEROUS))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, http=protocol(None), ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def _plain(text: str) -> bytes:
    """A PDF of one page that nobody signed."""
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, invariant=True, pageCompression=0)
    canvas.drawString(72, 720, text)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


async def _signed(address: str, token: str, credential_id: str) -> list[bytes]:
    """Two documents under one authorization: a batch of two hashes."""
    async with aiohttp.ClientSession() as session:
        info = csc.CSCServiceSessionInfo(address, credential_id, oauth_token=token)
        credential = await csc.fetch_certs_in_csc_credential(session, info)
        assert credential.hash_pinning_required
        signer = csc.CSCSigner(session, Leave(session, info, credential), batch_size=PAGES, embed_roots=False)

        async def one(number: int) -> bytes:
            meta = signers.PdfSignatureMetadata(
                field_name="Seal", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
            )
            writer = IncrementalPdfFileWriter(io.BytesIO(_plain(f"contract {number}")))
            signed = await signers.PdfSigner(meta, signer).async_sign_pdf(writer)
            return bytes(signed.getvalue())

        return list(await asyncio.gather(*(one(n) for n in range(PAGES))))


def test_pyhankos_client_signs_and_the_judge_finds_it_valid(vault: Vault, address: str) -> None:
    token = vault.tokens.create("custodian", actor=LOCAL_OPERATOR)
    (seal,) = vault.seals.list(LOCAL_OPERATOR)
    signed = asyncio.run(_signed(address, token, f"{seal.seal.id}-{seal.seal.version}"))
    uses = [u for u in vault.seal_uses.uses(seal.seal.id, LOCAL_OPERATOR) if u.used_by.startswith("token:")]
    assert len(uses) == PAGES
    for pdf in signed:
        verdict = vault.verification.verify(pdf)
        assert verdict.conclusion.value == "VALID", [f.code for f in verdict.findings]
        assert verdict.integrity.value == "INTACT"
        assert vault.verification.verify(pdf.replace(b"contract", b"Contract")).conclusion.value == "INVALID"
    assert len({hashlib.sha256(pdf).hexdigest() for pdf in signed}) == PAGES


def test_a_client_without_leave_gets_an_error_it_understands(vault: Vault, address: str) -> None:
    token = vault.tokens.create("issuer", actor=LOCAL_OPERATOR)
    (seal,) = vault.seals.list(LOCAL_OPERATOR)
    with pytest.raises(SigningError, match="No signing results"):
        asyncio.run(_signed(address, token, f"{seal.seal.id}-{seal.seal.version}"))
