"""What is refused before anything is drawn or signed: unfit files, and what earlier signatures forbid."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from signing.formats.pdf_form import NO_CHANGE, Field, Form, Rights
from signing.formats.pdf_update import BROKEN, PdfEncryptedError, PdfReadError
from verify.formats.refusal import RefusedError, refuse


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """What a file's own faults make of the work, as refusals."""
    try:
        yield
    except PdfEncryptedError as error:
        raise refuse(
            "PDF_ENCRYPTED",
            "file",
            "加密的 PDF 不能加盖印章",
            "an encrypted PDF is not sealed",
            remedy_zh="请先由文件所有者解除加密",
            remedy_en="have its owner remove the encryption first",
        ) from error
    except PdfReadError as error:
        raise broken_file(error) from error


@contextlib.contextmanager
def refusing_all() -> Iterator[None]:
    """As :func:`refusing`, of a rehearsal: whatever else a file's contradictions bring about is its fault as well."""
    try:
        with refusing():
            yield
    except BROKEN as error:
        if isinstance(error, OSError):
            raise
        raise broken_file(PdfReadError(type(error).__name__)) from error


def broken_file(error: Exception) -> RefusedError:
    """Of a file that cannot be read."""
    return refuse(
        "PDF_BROKEN",
        "file",
        "PDF 文件已损坏，无法加盖印章",
        f"the PDF is broken and cannot be sealed: {error}",
        remedy_zh="请用生成该文件的软件重新导出",
        remedy_en="export it again with the software that made it",
    )


def forbidden_change(en: str, zh: str) -> RefusedError:
    """Of what an earlier signature does not bear."""
    return refuse(
        "CHANGE_FORBIDDEN",
        "file",
        zh,
        en,
        remedy_zh="请使用预留的签名域，或由最初的签署者重新出具",
        remedy_en="use a field reserved for it, or have the first signer issue the document anew",
    )


def bad_field(name: str, en: str, zh: str) -> RefusedError:
    """Of a field that cannot be sealed, or made."""
    return refuse(
        "BAD_FIELD",
        "field",
        f"签名域 {name}：{zh}",
        f"field {name!r}: {en}",
        remedy_zh="请选择空的签名域，或不指定名称",
        remedy_en="choose an empty signature field, or name none",
    )


def check_form(form: Form) -> None:
    """Refuse a form that other software draws."""
    if form.has_xfa:
        raise refuse(
            "PDF_XFA",
            "file",
            "该 PDF 是 XFA 动态表单，其页面由软件另行绘制，盖章不可靠",
            "the PDF is an XFA form, whose pages are drawn from elsewhere: a seal would not be part of them",
            remedy_zh="请先另存为普通 PDF",
            remedy_en="save it as a plain PDF first",
        )


def check_rights(rights: Rights, existing: Field | None, *, field: str, placed: bool, certifies: bool) -> None:
    """Refuse what earlier signatures forbid. ``field`` is the name asked for, ``placed`` whether places are given."""
    if existing is not None:
        if existing.kind != "/Sig" or existing.reference is None:
            raise bad_field(existing.name, "it is no signature field", "不是签名域")
        if existing.value is not None:
            raise bad_field(existing.name, "it is signed already", "已有签名")
        if placed:
            raise bad_field(existing.name, "it has a place of its own", "已有固定位置，不能另定位置")
    elif "." in field:
        raise bad_field(field, "a new field has no period in its name", "新字段名不能含句点")
    if certifies and rights.filled:
        raise forbidden_change(
            "the document is signed already, and a certification must be its first signature",
            "文件已有签名，而认证签名必须是第一个签名",
        )
    if rights.level == NO_CHANGE:
        raise forbidden_change("an earlier signature allows no change any more", "已有签名不允许任何改动")
    name = existing.name if existing is not None else field
    if rights.certified and existing is None and placed:
        raise forbidden_change(
            "the document is certified: a seal that is seen needs a field that was reserved for it",
            "文件已认证：可见印章只能加盖在预留的签名域",
        )
    if rights.locks and (rights.locks_field(name) if name else any(x.action != "Include" for x in rights.locks)):
        raise forbidden_change("an earlier signature has locked this field", "已有签名锁定了该字段")
