"""What a forgery is to the tests and tables: its family, what is wrong with it, and what the judge must say."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.support.forger.bases import Base, base
from verify import About, Integrity, Severity, Verdict


class Expected(enum.Enum):
    """What the judge must say of a file."""

    NOT_INTACT = "not INTACT, with a finding about integrity"
    NOT_VALID = "not VALID, with a finding about the conclusion"
    DOUBT = "INTACT, with a doubt about what waits in it"
    INTACT = "INTACT"


@dataclass(frozen=True)
class Forgery:
    """One file: ``wrong`` names the one thing that is wrong with it and the clause or paper."""

    family: str
    variant: str
    wrong: str
    make: Callable[[], bytes]
    expected: Expected
    codes: frozenset[str] = frozenset()
    turn: int = 0
    """Which base document and case it is, counted together: a sample takes every second."""

    @property
    def name(self) -> str:
        return f"{self.family}--{self.variant}"

    def missed(self, verdict: Verdict) -> str:
        """Why a verdict is not the expected one; nothing when it is."""
        if self.expected is Expected.INTACT:
            return "" if verdict.integrity is Integrity.INTACT else f"{verdict.integrity} {sorted(verdict.codes())}"
        fault = _named(verdict, self.expected)
        if not fault and self.codes and not self.codes & verdict.codes():
            fault = f"no {'/'.join(sorted(self.codes))} in {sorted(verdict.codes())}"
        return fault


def _named(verdict: Verdict, expected: Expected) -> str:
    if expected is Expected.NOT_INTACT:
        if verdict.integrity is Integrity.INTACT:
            return "called INTACT"
        about = About.INTEGRITY
    else:
        if expected is Expected.DOUBT and verdict.integrity is not Integrity.INTACT:
            return f"{verdict.integrity}, though only content waits in it"
        if verdict.conclusion.value == "VALID":
            return "called VALID"
        about = About.CONCLUSION
    named = [f for f in verdict.findings if f.about is about and f.severity is not Severity.NOTE]
    if not any(
        f.code not in ("INTERNAL", "CHECK_NOT_RUN", "REVOCATION_UNKNOWN", "EXAMPLE_KEYS", "SIGNED_IN_FUTURE")
        for f in named
    ):
        return f"no finding names it: {sorted(verdict.codes())}"
    return ""


_ALL: list[Forgery] = []


def forgery(
    family: str,
    *bases: str,
    cases: Mapping[str, Any] | None = None,
    expected: Expected = Expected.NOT_INTACT,
    codes: frozenset[str] = frozenset(),
) -> Callable[[Callable[..., bytes]], Callable[..., bytes]]:
    """Register a function as forgery of each base document, once for each of ``cases``."""

    def register(make: Callable[..., bytes]) -> Callable[..., bytes]:
        wrong = " ".join(inspect.cleandoc(make.__doc__ or "").split())
        for turn, name in enumerate(bases or ("",)):
            for number, (case, value) in enumerate((cases or {"": None}).items()):
                variant = "-".join(v for v in (make.__name__.replace("_", "-"), case, name) if v)
                arguments = _arguments(name, case, value)
                made = partial(_call, make, arguments)
                _ALL.append(Forgery(family, variant, wrong, made, expected, codes, turn + number))
        return make

    return register


def _arguments(name: str, case: str, value: Any) -> list[Callable[[], Any]]:
    found: list[Callable[[], Any]] = []
    if name:
        found.append(partial(base, name))
    if case:
        found.append(lambda: value)
    return found


def _call(make: Callable[..., bytes], arguments: list[Callable[[], Base]]) -> bytes:
    return make(*(a() for a in arguments))


def sample(files: Iterable[Forgery]) -> list[Forgery]:
    """Half of the files and all controls: every function, and every case on some base document."""
    return [f for f in files if f.turn % 2 == 0 or f.expected is Expected.INTACT]


def forgeries(family: str | None = None) -> Iterator[Forgery]:
    """Every registered file, or those of one family, in the order of registration."""
    import tests.support.forger.families  # noqa: F401 - registers them

    yield from (f for f in _ALL if family is None or f.family == family)
