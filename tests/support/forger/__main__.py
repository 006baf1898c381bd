"""Write every forged file and a manifest: ``python -m tests.support.forger FOLDER``."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from tests.support.forger import forgeries
from tests.support.forger.bases import trust


def main(folder: Path) -> None:
    """Write ``FOLDER/*.pdf``, ``FOLDER/anchor.der`` (the trusted root) and ``FOLDER/manifest.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for one in forgeries():
        pdf = one.make()
        (folder / f"{one.name}.pdf").write_bytes(pdf)
        manifest.append(
            {
                "file": f"{one.name}.pdf",
                "family": one.family,
                "variant": one.variant,
                "expected": one.expected.name,
                "wrong": one.wrong,
                "sha256": hashlib.sha256(pdf).hexdigest(),
            }
        )
    (folder / "anchor.der").write_bytes(trust().anchors[0])
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"{len(manifest)} files")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.support.forger FOLDER")
    main(Path(sys.argv[1]))
