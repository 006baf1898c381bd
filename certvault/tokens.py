"""Bearer tokens: ``cv_ID_SECRET``, shown once, kept as the SHA-256 of the secret."""

from __future__ import annotations

import builtins
import datetime
import hashlib
import hmac
import secrets

from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import conflict, forbidden, not_found
from certvault.holders import check_holder_code
from certvault.model.actor import BY_TOKEN, Actor, Role
from certvault.model.keys import event
from certvault.model.views import TokenInfo
from certvault.model.work import Token
from verify.formats.refusal import refuse

LIFETIME = datetime.timedelta(days=90)
LONGEST = datetime.timedelta(days=3650)


class Tokens:
    """Makes, checks, lists and revokes tokens."""

    def __init__(self, database: Database, cipher: Cipher, catalog: Catalog, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._catalog = catalog
        self._clock = clock

    def create(
        self,
        role: str,
        *,
        actor: Actor,
        holder_code: str | None = None,
        lifetime: datetime.timedelta | None = None,
        label: str = "",
        issuer_code: str | None = None,
    ) -> str:
        """A new token of ``role``. A holder's token is bound to ``holder_code``; others have none."""
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        self._check(role, holder_code, lifetime or LIFETIME)
        if holder_code is not None:
            check_holder_code(holder_code, self._catalog)
        if issuer_code is not None:
            self._check_issuer(role, issuer_code)
        now = self._clock.now()
        token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        token = Token(
            id=token_id,
            secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
            role=role,
            label=label[:80],
            holder_index=None if holder_code is None else self._cipher.index("holder", holder_code),
            issuer_code=issuer_code,
            created_at=now,
            expires_at=now + (lifetime or LIFETIME),
        )
        with self._database.writing() as uow:
            uow.tokens.save(token, event("TOKEN_CREATED", f"token:{token_id}", actor.subject, role=role))
        return f"cv_{token_id}_{secret}"

    def authenticate(self, token: str) -> Actor | None:
        """Who holds ``token``; None for a wrong, expired or revoked one. Takes as long for each."""
        prefix, _, rest = token.partition("_")
        token_id, _, secret = rest.partition("_")
        found: Token | None = None
        if prefix == "cv" and len(token_id) == 16 and token_id.isalnum():
            with self._database.reading() as view:
                found = view.tokens.get(token_id)
        known = found.secret_sha256 if found is not None else "0" * 64
        right = hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), known)
        if found is None or not right or found.revoked_at is not None or self._clock.now() >= found.expires_at:
            return None
        return _actor(found)

    def named(self, token_id: str) -> Actor | None:
        """Who holds the token of that id, for a caller that proved itself otherwise; else as :meth:`authenticate`."""
        with self._database.reading() as view:
            found = view.tokens.get(token_id)
        if found is None or found.revoked_at is not None or self._clock.now() >= found.expires_at:
            return None
        return _actor(found)

    def list(self, actor: Actor) -> builtins.list[TokenInfo]:
        """All tokens, without secrets, newest first."""
        if not actor.has(Role.AUDITOR):
            raise forbidden(Role.AUDITOR)
        with self._database.reading() as view:
            found = sorted(view.tokens.all(), key=lambda t: t.created_at, reverse=True)
        return [
            TokenInfo(t.id, t.role, t.label, t.holder_index is not None, t.created_at, t.expires_at, t.revoked_at)
            for t in found
        ]

    def revoke(self, token_id: str, actor: Actor) -> None:
        """The token counts no more from now on. Idempotent."""
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        with self._database.writing() as uow:
            found = uow.tokens.get(token_id)
            if found is None:
                raise not_found("令牌", "token", token_id)
            if found.revoked_at is None:
                uow.tokens.save(
                    found.revoked(self._clock.now()), event("TOKEN_REVOKED", f"token:{token_id}", actor.subject)
                )

    def _check_issuer(self, role: str, code: str) -> None:
        with self._database.reading() as view:
            known = view.issuers.get(code) is not None
        if not known or role == Role.HOLDER:
            raise refuse(
                "ISSUER_UNKNOWN",
                "issuer",
                "没有该代码的颁发机构，或该角色不属于颁发机构",
                "there is no issuer with this code, or the role is none of an issuer's",
                remedy_zh="请核对代码，见 certvault issuer list。",
                remedy_en="Check the code with certvault issuer list.",
            )

    @staticmethod
    def _check(role: str, holder_code: str | None, lifetime: datetime.timedelta) -> None:
        if role not in {r.value for r in Role}:
            roles = ", ".join(r.value for r in Role)
            raise refuse(
                "ROLE_UNKNOWN",
                "role",
                f"没有角色 {role}",
                f"there is no role {role}",
                remedy_zh=f"可选角色：{roles}",
                remedy_en=f"Roles are: {roles}",
            )
        if (role == Role.HOLDER) != (holder_code is not None):
            raise conflict(
                "HOLDER_CODE",
                "holder",
                "持证主体令牌须给出且仅其可给出证件号码",
                "a holder's token, and no other, names the holder's code",
                remedy_zh="请同时使用 --role holder 与 --holder。",
                remedy_en="Use --role holder together with --holder.",
            )
        if not datetime.timedelta() < lifetime <= LONGEST:
            raise refuse(
                "LIFETIME",
                "lifetime",
                "有效期须大于零且不超过十年",
                "the lifetime is not between zero and ten years",
                remedy_zh="请缩短有效期。",
                remedy_en="Choose another lifetime.",
            )


def _actor(token: Token) -> Actor:
    roles = frozenset({token.role})
    return Actor(f"{BY_TOKEN}{token.id}", roles, token.holder_index, token.issuer_code, token.label)
