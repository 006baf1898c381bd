"""Who calls the signing service: a bearer token, or a client certificate that the reverse proxy vouches for.

TLS ends at the proxy that ``serve --proxy`` names. It asks for client certificates, checks them against the CA of its
own configuration, and hands the certificate on in ``Client-Cert`` (RFC 9440) or, as nginx writes it, as escaped PEM
in ``X-SSL-Client-Cert``; it must drop what a client sends under these names. From any other peer the headers are
removed before the application sees them. A certificate counts for the token that ``[remote] clients`` gives its
SHA-256; role, organization, end and withdrawal are the token's. A token in the request takes precedence.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from urllib.parse import unquote

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.csc.errors import CscError
from api.deps import caller_of, services_of, take
from certvault.model.actor import Actor, Role

STANDARD, ESCAPED = "client-cert", "x-ssl-client-cert"
_NAMES = (STANDARD.encode(), ESCAPED.encode())
MAX_HEADER = 16_384


class ProxyOnly:
    """Removes the headers of client certificates unless the peer is ``proxy``. Stands around everything else."""

    def __init__(self, app: ASGIApp, proxy: str | None) -> None:
        self.app = app
        self._proxy = proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and (self._proxy is None or (scope.get("client") or ("",))[0] != self._proxy):
            scope = {**scope, "headers": [(n, v) for n, v in scope["headers"] if n.lower() not in _NAMES]}
        await self.app(scope, receive, send)


def signing_caller(request: Request) -> Actor:
    """The caller, with a role that may sign; else 401 or 403."""
    header = request.headers.get("authorization")
    if header is not None and header.partition(" ")[0].lower() != "bearer":
        raise CscError("Malformed authorization header")
    actor = _by_certificate(request) if header is None else None
    if actor is None:
        caller = caller_of(request) if header is not None else None
        if caller is None:
            take(request, "reading", 1)
            raise problems.not_signed_in()
        actor = caller.actor
    else:
        take(request, "reading", 1)
    if not actor.has(Role.CUSTODIAN, Role.ISSUER):
        raise problems.not_permitted(", ".join((Role.CUSTODIAN, Role.ISSUER, Role.OPERATOR)))
    return actor


def _by_certificate(request: Request) -> Actor | None:
    der = _certificate(request)
    if der is None:
        return None
    vault = services_of(request).vault
    print_ = hashlib.sha256(der).hexdigest()
    for entry in vault.settings.remote_clients:
        known, _, token_id = entry.partition("=")
        if hmac.compare_digest(known, print_):
            return vault.tokens.named(token_id)
    return None


def _certificate(request: Request) -> bytes | None:
    """The DER of the client's certificate; None when there is none that can be read."""
    standard, escaped = request.headers.get(STANDARD), request.headers.get(ESCAPED)
    try:
        if standard and len(standard) <= MAX_HEADER:
            return base64.b64decode(standard.strip().removeprefix(":").removesuffix(":"), validate=True)
        if escaped and len(escaped) <= MAX_HEADER:
            lines = unquote(escaped).strip().splitlines()
            return base64.b64decode("".join(line.strip() for line in lines if "CERTIFICATE" not in line), validate=True)
    except (binascii.Error, ValueError):
        return None
    return None
