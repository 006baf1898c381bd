"""Reading multipart bodies. Nothing of them touches the disk: documents and rows hold personal data."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api import problems

MEDIA_TYPE = "multipart/form-data"
FIELDS, FIELD_BYTES = 20, 100_000
"""Text fields of a form, and bytes of each. Headers of a part: the parser takes eight, of four kilobytes each."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file: its name, without folders and control characters, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The files of the field ``file`` in their order, and the text fields."""

    files: tuple[Upload, ...]
    fields: dict[str, str]


class _MemoryParser(MultiPartParser):
    """Keeps files in memory; the body's ceiling bounds it."""

    spool_max_size = 2**31


def media_type(request: Request) -> str:
    """The media type of the body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_form(request: Request, *, max_files: int) -> Form:
    """Read a multipart body. RefusedError for another kind of body or a broken one."""
    if media_type(request) != MEDIA_TYPE:
        raise problems.wrong_media_type(MEDIA_TYPE)
    parser = _MemoryParser(
        request.headers, request.stream(), max_files=max_files, max_fields=FIELDS, max_part_size=FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeError) as error:  # KeyError: a body without its boundary
        if isinstance(error, MultiPartException) and error.message.startswith("Too many files"):
            raise problems.too_many_files(max_files) from error
        reason = error.message if isinstance(error, MultiPartException) else "no boundary, or no text"
        raise problems.malformed("", "表单无法读取。", f"The form cannot be read: {reason}") from error
    files = [Upload(own_name(f.filename), await f.read()) for f in form.getlist("file") if isinstance(f, UploadFile)]
    fields = {k: v for k, v in form.multi_items() if isinstance(v, str)}
    await form.close()
    return Form(tuple(files), fields)


def own_name(name: str | None) -> str:
    """The file's own name, without folders and control characters."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:200] or "file"
