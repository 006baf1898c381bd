"""A bulk job's output folder: ``job.json`` (which job), ``report.jsonl`` (a line per row), ``pdf/`` (documents)."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from certvault.errors import StorageFullError, StorageUnavailableError, conflict
from certvault.model.views import RowReport
from verify.formats.refusal import refuse

JOB_FILE = "job.json"
REPORT_FILE = "report.jsonl"
PDF_FOLDER = "pdf"


class JobFolder:
    """One output folder. Files appear whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def claim(self, facts: dict[str, str]) -> dict[str, str]:
        """Write ``job.json`` when there is none, and give what it says then; the first writer wins.

        RefusedError (OUT_UNWRITABLE) when the folder is a file or nothing can be written there.
        """
        self._prepare()
        with _translated(self.folder):
            text = json.dumps(facts, ensure_ascii=False, indent=2) + "\n"
            temporary = self.folder / f".{JOB_FILE}.{facts['job']}"
            temporary.write_text(text, "utf-8")
            with contextlib.suppress(FileExistsError):
                os.link(temporary, self.folder / JOB_FILE)  # unlike rename, refuses to replace
            temporary.unlink()
        return self.job() or facts

    def job(self) -> dict[str, str] | None:
        """What ``job.json`` says; None when there is none. ConflictError for a file that is no job's."""
        path = self.folder / JOB_FILE
        try:
            value = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _foreign(self.folder) from error
        if not isinstance(value, dict) or not all(
            isinstance(value.get(k), str) for k in ("job", "type", "input_sha256")
        ):
            raise _foreign(self.folder)
        return value

    def release(self) -> None:
        """Give the folder back empty: its job came to nothing before it wrote anything."""
        with _translated(self.folder):
            (self.folder / JOB_FILE).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # somebody else's files stay
                (self.folder / PDF_FOLDER).rmdir()

    def note(self, facts: dict[str, object]) -> None:
        """Write ``job.json`` anew, with what is known by now."""
        self._write(self.folder / JOB_FILE, json.dumps(facts, ensure_ascii=False, indent=2).encode() + b"\n")

    @staticmethod
    def pdf_path(identifier: str) -> str:
        """Where the document of a license is, relative to the folder."""
        return f"{PDF_FOLDER}/{identifier}.pdf"

    def has_pdf(self, identifier: str) -> bool:
        """Whether the document is there."""
        with contextlib.suppress(OSError):
            return (self.folder / self.pdf_path(identifier)).stat().st_size > 0
        return False

    def write_pdf(self, identifier: str, pdf: bytes) -> None:
        """Write one document."""
        self._write(self.folder / self.pdf_path(identifier), pdf)

    def append_report(self, lines: Iterable[RowReport]) -> None:
        """Add lines while the job runs, in the order in which rows are done."""
        text = "".join(_line(line) for line in lines)
        with _translated(self.folder), (self.folder / REPORT_FILE).open("a", encoding="utf-8") as file:
            file.write(text)

    def write_report(self, lines: Iterable[RowReport]) -> None:
        """Write the report anew: exactly the given lines, in one step."""
        path = self.folder / REPORT_FILE
        temporary = path.with_suffix(".tmp")
        with _translated(self.folder):
            with temporary.open("w", encoding="utf-8") as file:
                for line in lines:
                    file.write(_line(line))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)

    def _prepare(self) -> None:
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)  # documents of people, in the clear
            (self.folder / PDF_FOLDER).mkdir(mode=0o700, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise refuse(
                "OUT_UNWRITABLE",
                "out",
                f"{self.folder} 不是文件夹或无法写入",
                f"{self.folder} is no folder, or cannot be written",
                remedy_zh="请指明一个可写的文件夹，不存在时会新建。",
                remedy_en="Name a folder that can be written; it is made when there is none.",
            ) from error
        except OSError:
            with _translated(self.folder):
                raise

    def _write(self, path: Path, content: bytes) -> None:
        temporary = path.with_name(f".{path.name}.tmp")
        with _translated(self.folder):
            temporary.write_bytes(content)
            os.replace(temporary, path)


def _line(report: RowReport) -> str:
    return json.dumps(report.to_json(), ensure_ascii=False) + "\n"


def _foreign(folder: Path) -> Exception:
    return conflict(
        "OUT_IN_USE",
        "out",
        f"{folder} 中的 {JOB_FILE} 不属于批量任务",
        f"the {JOB_FILE} in {folder} is not that of a job",
        remedy_zh="请选择空文件夹。",
        remedy_en="Choose an empty folder.",
    )


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"no space left for {folder}") from error
        raise StorageUnavailableError(f"{folder} cannot be written: {error.strerror}") from error
