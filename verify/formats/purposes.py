"""What a certificate may be used for, as extended key usages.

A key made for one purpose signs nothing else, and its certificate says so: the verifier refuses a document sealed
under a certificate for status lists, however well the arithmetic agrees. Where X.509 has a registered usage it is
used; the others stand below one private arc (a UUID under 2.25, ITU-T X.667).
"""

from __future__ import annotations

ARC = "2.25.206853310937546410384529471116239071104"
"""Arc of certvault's own usages."""

SEAL = "1.3.6.1.5.5.7.3.36"  # id-kp-documentSigning, RFC 9336
OCSP = "1.3.6.1.5.5.7.3.9"  # id-kp-OCSPSigning, RFC 6960 4.2.2.2
TSA = "1.3.6.1.5.5.7.3.8"  # id-kp-timeStamping, RFC 3161 2.3: critical, and alone
RECORD = f"{ARC}.1"
CODE = f"{ARC}.2"
STATUS = f"{ARC}.3"
ANSWER = f"{ARC}.4"
TRUST_LIST = f"{ARC}.5"
TSL_SIGNING = "0.4.0.2231.3.0"  # id-tsl-kp-tslSigning, ETSI TS 119 612 5.7.1: beside TRUST_LIST, for other readers
SEAL_MAKER = f"{ARC}.6"
LOG = f"{ARC}.7"

NAMES: dict[str, str] = {
    SEAL: "seal",
    OCSP: "ocsp",
    TSA: "tsa",
    RECORD: "record",
    CODE: "code",
    STATUS: "status",
    ANSWER: "answer",
    TRUST_LIST: "trust-list",
    SEAL_MAKER: "seal-maker",
    LOG: "log",
}
"""Short name of each usage, for messages."""

OCSP_NOCHECK = "1.3.6.1.5.5.7.48.1.5"
"""id-pkix-ocsp-nocheck, RFC 6960 4.2.2.2.1: an extension, not a usage."""

ORGANIZATION_IDENTIFIER = "2.5.4.97"
"""Subject attribute that carries the unified social credit code of a seal's, record's or code's owner."""

EXAMPLE_PREFIX = "EXAMPLE"
"""Common names of example authorities begin with this word; nobody trusts them without asking for it."""
