"""A vault on a token whose mechanisms settings name: made, used, opened again; and one that cannot do SM2."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, Vault, open_vault
from certvault.errors import SettingsError
from certvault.settings import read_key_mechanisms, read_settings
from signing.errors import MechanismError, SigningError
from tests.api.test_cli import Ran
from tests.support.rows import business

ON_EC: dict[str, str | int] = {"generate": "EC_KEY_PAIR_GEN", "sign": 0x1041, "takes": "digest", "gives": "raw"}


def test_a_vault_signs_under_mapped_numbers_and_keeps_the_mapping(
    make_vault: Callable[..., Vault], new_token: Callable[[], Any]
) -> None:
    token = new_token()
    mapped = {"ECDSA_P256_SHA256": ON_EC, "ECDSA_P384_SHA384": ON_EC}
    vault = make_vault(keys=token.uri, pin=token.pin, key_mechanisms=mapped)
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    assert vault.verification.verify(issued.pdf).conclusion.value == "VALID"
    folder = vault.settings.folder
    vault.close()
    assert read_settings(folder).key_mechanisms == mapped
    with open_vault(folder) as again:
        assert again.doctor().problems == ()
        assert set(again._keyring.backend._mechanisms) == {  # type: ignore[attr-defined]
            k.algorithm for k in again._keyring.all()
        }


def test_a_token_that_gives_no_sm2_holds_no_vault_of_it(
    make_vault: Callable[..., Vault], new_token: Callable[[], Any], tmp_path: Path
) -> None:
    token = new_token()
    with pytest.raises(MechanismError, match="no SM2_SM3") as error:
        make_vault(suite="sm2", keys=token.uri, pin=token.pin, key_mechanisms={"SM2_SM3": ON_EC})
    assert "object=" in str(error.value)
    assert token.pin not in str(error.value)
    assert list((tmp_path / "vault").iterdir()) == []


def test_a_mapping_that_cannot_be_is_refused_when_the_vault_is_opened(
    make_vault: Callable[..., Vault], new_token: Callable[[], Any], tmp_path: Path
) -> None:
    token = new_token()
    with pytest.raises(SigningError, match=r"\[keys\.mechanisms\.SM2_SM3\] gives is one of raw, der"):
        make_vault(suite="sm2", keys=token.uri, pin=token.pin, key_mechanisms={"SM2_SM3": ON_EC | {"gives": "hex"}})


NO_TABLES = ("[keys]\nmechanisms = 5", "[keys.mechanisms]\nSM2_SM3 = 5", "[keys.mechanisms.SM2_SM3]\nsign = [1]")


@pytest.mark.parametrize("text", NO_TABLES)
def test_what_is_no_table_is_no_setting(text: str) -> None:
    with pytest.raises(SettingsError, match="a table for each algorithm"):
        read_key_mechanisms(tomllib.loads(text))


def test_init_asks_for_the_mechanisms_that_sm2_needs(tmp_path: Path, new_token: Callable[[], Any]) -> None:
    token = new_token()
    init = ["init", "--suite", "sm2", "--keys", token.uri, "--json", "--lang", "en"]
    ran = Ran(init, tmp_path)
    assert (ran.status, ran.json["code"], ran.json["field"]) == (3, "OPTION", "mechanisms")
    file = tmp_path / "mechanisms.toml"
    file.write_text("[keys.mechanisms.SM2_SM3\n")
    ran = Ran([*init, "--mechanisms", file], tmp_path)
    assert (ran.status, ran.json["code"], ran.json["field"]) == (3, "OPTION", "mechanisms")
    members = "\n".join(f"{name} = {json.dumps(value)}" for name, value in ON_EC.items())
    file.write_text(f"[keys.mechanisms.SM2_SM3]\n{members}\n")
    ran = Ran(["init", "--suite", "p256", "--keys", "file", "--mechanisms", file, "--json"], tmp_path)
    assert (ran.status, ran.json["field"]) == (3, "mechanisms")
    assert not (tmp_path / "var").exists()
