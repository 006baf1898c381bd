"""Our own forger: every published way to forge a signed PDF, made from documents of our own.

:func:`forgeries` gives the files, :func:`tests.support.forger.judging.table` judges them by family, and
``python -m tests.support.forger FOLDER`` writes them with a ``manifest.json``.
"""

from tests.support.forger.registry import Expected, Forgery, forgeries, sample

__all__ = ["Expected", "Forgery", "forgeries", "sample"]
