"""The published families of forgery, one module each; importing this package registers them all."""

from tests.support.forger.families import (  # noqa: F401
    actions,
    annotations,
    control,
    fields,
    fonts,
    layers,
    licenses,
    names,
    pages,
    permissions,
    saving,
    shadow,
    sneaky,
    spoofing,
    streams,
    structure,
    universal,
    waiting,
    wrapping,
)
