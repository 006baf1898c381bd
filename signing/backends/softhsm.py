"""SoftHSM tokens: where the module is, and making a token for an embedded vault."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from signing.errors import BackendUnavailableError, SigningError

_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
CONF_NAME = "softhsm2.conf"


def softhsm_module() -> str | None:
    """Path of the SoftHSM module, from ``SOFTHSM2_MODULE`` or the usual places; None when it is not installed."""
    named = os.environ.get("SOFTHSM2_MODULE")
    return next((p for p in ((named,) if named else _MODULES) if Path(p).is_file()), None)


def softhsm_available() -> bool:
    """Whether :func:`create_softhsm_token` can work here."""
    return softhsm_module() is not None and shutil.which("softhsm2-util") is not None


def create_softhsm_token(conf_dir: Path, label: str, pin: str) -> str:
    """Make a token and return its ``pkcs11:`` URI with ``module-path``.

    The configuration is that of ``SOFTHSM2_CONF`` when the environment has one, else ``conf_dir/softhsm2.conf``,
    written here with its token folder beside it (0700); pass that path as ``softhsm_conf`` to ``open_backend``. The
    security officer's PIN is the user's: on a software token it protects nothing more.
    """
    module = softhsm_module()
    if module is None or not softhsm_available():
        raise BackendUnavailableError("SoftHSM is not installed")
    if not 4 <= len(pin.encode()) <= 255:
        raise SigningError("a SoftHSM PIN has 4 to 255 bytes")
    environment = dict(os.environ)
    environment["SOFTHSM2_CONF"] = os.environ.get("SOFTHSM2_CONF") or str(softhsm_configuration(conf_dir))
    if label in _labels(environment):
        raise SigningError(f"a token labelled {label!r} exists")
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", pin, "--pin", pin]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BackendUnavailableError(f"softhsm2-util made no token: {done.stderr.strip()[:200].replace(pin, '***')}")
    return f"pkcs11:token={quote(label, safe='-._~')}?module-path={quote(module, safe='/-._~')}"


def softhsm_configuration(conf_dir: Path) -> Path:
    """``conf_dir/softhsm2.conf``, written when it is not there, with the folder ``tokens`` beside it."""
    conf_dir = conf_dir.absolute()
    tokens = conf_dir / "tokens"
    tokens.mkdir(mode=0o700, parents=True, exist_ok=True)
    conf = conf_dir / CONF_NAME
    if not conf.exists():
        conf.write_text(
            f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
            "slots.removable = false\nlibrary.reset_on_fork = true\n"
        )
        conf.chmod(0o600)
    return conf


def _labels(environment: dict[str, str]) -> set[str]:
    shown = subprocess.run(
        ["softhsm2-util", "--show-slots"], env=environment, capture_output=True, text=True, check=False
    )
    lines = (line.strip() for line in shown.stdout.splitlines())
    return {line.partition(":")[2].strip() for line in lines if line.startswith("Label:")}
