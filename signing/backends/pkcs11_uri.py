"""PKCS#11 URIs, RFC 7512, as far as keys and tokens are named by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from signing.errors import SigningError

_PATH = {"token", "manufacturer", "serial", "model", "object", "type", "id", "slot-id"}
_PATH_REFUSED = {"library-manufacturer", "library-version", "library-description", "slot-manufacturer"} | {
    "slot-description"
}
_QUERY = {"module-path", "module-name", "pin-source", "pin-value"}
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&/-]|%[0-9A-Fa-f]{2})*")  # pk11-pchar with the query's extras


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """The parts that are used. ``object`` and ``id`` name a key, the others its token and how to reach it."""

    token: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    slot_id: int | None = None
    object: str | None = None
    id: bytes | None = None
    module_path: str | None = None
    pin_source: str | None = None

    def token_uri(self) -> str:
        """The token alone, without module and PIN source: for errors and for key URIs."""
        parts = (("token", self.token), ("manufacturer", self.manufacturer), ("model", self.model))
        text = [f"{k}={_quoted(v)}" for k, v in (*parts, ("serial", self.serial)) if v is not None]
        if self.slot_id is not None:
            text.append(f"slot-id={self.slot_id}")
        return "pkcs11:" + ";".join(text)

    def key_uri(self, label: str, key_id: bytes, kind: str = "private") -> str:
        """A key on this token; ``kind`` is RFC 7512's ``type``."""
        percent = "".join(f"%{b:02X}" for b in key_id)
        token = f"token={_quoted(self.token)};" if self.token is not None else ""
        return f"pkcs11:{token}object={_quoted(label)};id={percent};type={kind}"


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")


def parse_pkcs11_uri(uri: str) -> Pkcs11Uri:
    """Read a URI. Raises SigningError for a malformed one, for attributes it does not use, and for ``pin-value``.

    The message never repeats the URI: a refused one may carry a PIN.
    """
    if not uri.startswith("pkcs11:"):
        raise SigningError("not a pkcs11: URI")
    path_text, _, query_text = uri.removeprefix("pkcs11:").partition("?")
    path = _attributes(path_text, ";", _PATH, _PATH_REFUSED)
    query = _attributes(query_text, "&", _QUERY, set())
    if "pin-value" in query:
        raise SigningError("a PIN does not belong in a URI: use pin-source, the environment or a prompt")
    slot = _text(path, "slot-id")
    if slot is not None and not slot.isdecimal():
        raise SigningError("slot-id of the pkcs11: URI is not a number")
    return Pkcs11Uri(
        token=_text(path, "token"),
        manufacturer=_text(path, "manufacturer"),
        model=_text(path, "model"),
        serial=_text(path, "serial"),
        slot_id=None if slot is None else int(slot),
        object=_text(path, "object"),
        id=path.get("id"),
        module_path=_text(query, "module-path"),
        pin_source=_text(query, "pin-source"),
    )


def _attributes(text: str, separator: str, known: set[str], refused: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if not equals or not _ENCODED.fullmatch(value):
            raise SigningError("malformed pkcs11: URI")
        if name in refused:
            raise SigningError(f"attribute {name} of the pkcs11: URI is not supported")
        if name not in known and not name.startswith("x-"):
            raise SigningError("the pkcs11: URI has an attribute that RFC 7512 does not know")
        if name in found:
            raise SigningError(f"attribute {name} stands twice in the pkcs11: URI")
        found[name] = unquote_to_bytes(value)
    return found


def _text(attributes: dict[str, bytes], name: str) -> str | None:
    value = attributes.get(name)
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise SigningError(f"attribute {name} of the pkcs11: URI is not UTF-8") from None
