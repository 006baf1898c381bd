"""One target under atheris: ``python -m tests.fuzz.engine TARGET [libFuzzer's options]``."""

from __future__ import annotations

import sys


def main() -> None:
    """Instrument what is fuzzed, then hand over to libFuzzer."""
    import atheris

    with atheris.instrument_imports(include=["verify"], enable_loader_override=False):
        import verify.checks.material
        import verify.document
        import verify.formats.ber
        import verify.formats.pdffile
        import verify.formats.pdfsignatures
        import verify.formats.report
        import verify.formats.statuslist
        import verify.media
        import verify.messages  # noqa: F401 - imported here so that it is instrumented
    from tests.fuzz.targets import TARGETS

    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
