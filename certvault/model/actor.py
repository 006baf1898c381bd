"""Who asks, and what the roles allow."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Role(enum.StrEnum):
    """What a caller may do. ``operator`` may do everything on this vault; the others are narrow."""

    OPERATOR = "operator"
    ISSUER = "issuer"
    CUSTODIAN = "custodian"
    AUDITOR = "auditor"
    HOLDER = "holder"
    VERIFIER = "verifier"


BY_TOKEN = "token:"  # noqa: S105 - how a name begins
"""How the subject of whoever came with a token begins."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller. ``holder_index`` is the blind index of the holder's code; ``issuer_code`` narrows an issuer.

    ``label`` is that of the token the caller came with; rules of seals may name it.
    """

    subject: str
    roles: frozenset[str]
    holder_index: str | None = None
    issuer_code: str | None = None
    label: str = ""

    def has(self, *roles: Role) -> bool:
        """Whether one of ``roles``, or the operator's, is held."""
        return Role.OPERATOR.value in self.roles or any(r.value in self.roles for r in roles)


LOCAL_OPERATOR = Actor("local-operator", frozenset({Role.OPERATOR.value}))
"""Whoever runs the command line on the vault's own folder."""
