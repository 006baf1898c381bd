"""Published identifiers and codes: the check characters of the standards, recomputed."""

from __future__ import annotations

import pytest

from verify.formats import codes

CONFORMING = [
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W011.11110000000021135M.20230329701.003.Y",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
]
SHANDONG = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
USCCS = [
    "91110000600037341L",
    "11100000MB0143028R",
    "11100000000019713D",
    "11370306MB2867521U",
    "91370406L24894136J",
    "11430000006122244L",
    "11330105002500287C",
    "11320500014150050B",
    "115300000151003540",
    "12100000000018032A",
]


@pytest.mark.parametrize("text", CONFORMING)
def test_deployed_identifiers_carry_the_standard_check_character(text: str) -> None:
    identifier, check = codes.parse_identifier(text)
    assert check == "standard"
    assert str(identifier) == text


def test_the_shandong_check_character_is_known_as_a_variant_and_not_as_wrong() -> None:
    identifier, check = codes.parse_identifier(SHANDONG)
    assert check == "variant-a"
    assert identifier.check == "D"


@pytest.mark.parametrize(("text", "variant"), list(zip(CONFORMING, "TXZ4", strict=True)))
def test_the_variant_differs_from_the_standard_on_conforming_identifiers(text: str, variant: str) -> None:
    head = text.removeprefix(codes.IDENTIFIER_ROOT + ".").rpartition(".")[0]
    assert codes.mod37_36_variant_a(head.replace(".", "")) == variant


def test_another_check_character_is_wrong() -> None:
    assert codes.parse_identifier(CONFORMING[0][:-1] + "V")[1] == "wrong"


@pytest.mark.parametrize("code", USCCS)
def test_real_credit_codes_pass_both_checks(code: str) -> None:
    assert codes.uscc_fault(code) is None


@pytest.mark.parametrize("code", USCCS)
def test_every_single_changed_character_of_a_credit_code_is_noticed(code: str) -> None:
    for i, old in enumerate(code):
        for new in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if new != old:
                assert codes.uscc_fault(code[:i] + new + code[i + 1 :]) is not None


def test_a_credit_code_with_a_wrong_inner_organization_code_says_so() -> None:
    stem = "91110000600037342"
    assert codes.uscc_fault(stem + codes.uscc_check(stem)) == "org_check"


@pytest.mark.parametrize("code", ["11010519491231002X", "360426199101010071"])
def test_citizen_numbers_of_the_standard_pass(code: str) -> None:
    assert codes.citizen_fault(code) is None


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("110105194912310021", "check"),
        ("11010519490231002X", "date"),
        ("11010519491231002x", "shape"),
        ("1101051949123100", "shape"),
        ("１１０１０５１９４９１２３１００２X", "shape"),
    ],
)
def test_wrong_citizen_numbers_name_their_fault(code: str, fault: str) -> None:
    assert codes.citizen_fault(code) == fault
