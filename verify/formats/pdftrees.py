"""Trees that a catalog holds: pages (7.7.3) and names (7.9.6). Each node once, within limits, whatever points where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from verify.formats.pdflimits import PdfLimitError
from verify.formats.pdfsnapshot import Snapshot
from verify.formats.pdfvalues import Dictionary, Reference, Value


class Page(NamedTuple):
    """One page: its number from 1, the reference that leads to it (None when there is none), its dictionary."""

    number: int
    reference: Reference | None
    dictionary: Dictionary


def pages(document: Snapshot) -> Iterator[Page]:
    """The pages in order. Raises PdfLimitError when the tree is too large."""
    number = 0
    for reference, node in _nodes(document, document.root.get(b"Pages"), b"Kids", "pages"):
        if node.get(b"Kids") is None:
            number += 1
            yield Page(number, reference, node)


def name_tree(document: Snapshot, root: Value) -> Iterator[tuple[Value, Value]]:
    """The keys and values of a name tree, values not resolved. Raises PdfLimitError when it is too large."""
    for _, node in _nodes(document, root, b"Kids", "names"):
        names = document.items_of(node.get(b"Names"))
        for key, value in zip(names[::2], names[1::2], strict=False):
            yield document.resolve(key), value


def _nodes(document: Snapshot, root: Value, kids: bytes, what: str) -> Iterator[tuple[Reference | None, Dictionary]]:
    waiting: list[Value] = [root]
    met: set[Reference] = set()
    left = document.file.limits.nodes
    while waiting:
        raw = waiting.pop()
        if isinstance(raw, Reference):
            if raw in met:
                continue
            met.add(raw)
        left -= 1
        if left < 0:
            raise PdfLimitError(what, document.file.limits.nodes)
        node = document.resolve(raw)
        if not isinstance(node, dict):
            continue
        yield raw if isinstance(raw, Reference) else None, node
        waiting.extend(reversed(document.items_of(node.get(kids))))
