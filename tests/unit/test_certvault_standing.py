"""The state machine of a license's life, taken through every history of up to four acts at every order of moments."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence

import pytest

from certvault.model.license import License, LicenseState, Standing
from certvault.model.standing import (
    REASONS,
    USUAL,
    Act,
    Status,
    StatusChange,
    StepError,
    check_step,
    list_value,
    standing_at,
    status_at,
    step,
)

T0 = datetime.datetime(2026, 1, 1, 2, 0, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
ACTS = (Act.SUSPEND, Act.REINSTATE, Act.REVOKE, Act.RENEW)
MOMENTS = (0, 1, 2)


def change(number: int, act: Act, moment: int, recorded: int | None = None) -> StatusChange:
    at = T0 + moment * HOUR
    recorded_at = at if recorded is None else T0 + recorded * HOUR
    return StatusChange(number, "i", act, "other", at, recorded_at, "a", "d", b"")


def histories(length: int) -> Iterator[list[StatusChange]]:
    """Every history that can come about: each act was possible when it was recorded."""
    for acts in itertools.product(itertools.product(ACTS, MOMENTS), repeat=length):
        history: list[StatusChange] = []
        try:
            for number, (act, moment) in enumerate(acts, 1):
                check_step(history, act, T0 + moment * HOUR)
                history.append(change(number, act, moment))
        except StepError:
            continue
        yield history


def timeline(history: Sequence[StatusChange]) -> list[Status]:
    return [status_at(history, T0 + moment * HOUR) for moment in (-1, *MOMENTS, 9)]


EXPECTED = {
    Status.IN_FORCE: {
        Act.SUSPEND: Status.SUSPENDED,
        Act.REINSTATE: None,
        Act.REVOKE: Status.REVOKED,
        Act.RENEW: Status.SUPERSEDED,
        Act.AMEND: Status.SUPERSEDED,
    },
    Status.SUSPENDED: {
        Act.SUSPEND: None,
        Act.REINSTATE: Status.IN_FORCE,
        Act.REVOKE: Status.REVOKED,
        Act.RENEW: Status.SUPERSEDED,
        Act.AMEND: Status.SUPERSEDED,
    },
    Status.SUPERSEDED: {
        Act.SUSPEND: None,
        Act.REINSTATE: None,
        Act.REVOKE: Status.REVOKED,
        Act.RENEW: None,
        Act.AMEND: None,
    },
    Status.REVOKED: dict.fromkeys(Act),
}


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("act", list(Act))
def test_every_step_from_every_status(status: Status, act: Act) -> None:
    assert step(status, act) == EXPECTED[status][act]


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_what_ends_a_license_ends_it_for_good_and_nothing_comes_before_its_moment(length: int) -> None:
    count = 0
    for history in histories(length):
        count += 1
        states = timeline(history)
        assert states[0] is Status.IN_FORCE  # before every act
        seen_final = seen_revoked = False
        for state in states:
            assert not (seen_final and state in (Status.IN_FORCE, Status.SUSPENDED))
            assert not (seen_revoked and state is not Status.REVOKED)
            seen_final = seen_final or state in (Status.REVOKED, Status.SUPERSEDED)
            seen_revoked = seen_revoked or state is Status.REVOKED
        if any(c.act is Act.REVOKE for c in history):
            assert states[-1] is Status.REVOKED
        elif any(c.act is Act.RENEW for c in history):
            assert states[-1] is Status.SUPERSEDED
    assert count > (0, 3, 10, 30, 60)[length]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_new_act_changes_nothing_before_its_moment_and_takes_effect_at_it(length: int) -> None:
    for history in histories(length):
        for act, moment in itertools.product(ACTS, MOMENTS):
            at = T0 + moment * HOUR
            before = status_at(history, at)
            try:
                after = check_step(history, act, at)
            except StepError as error:
                refused = error
            else:
                refused = None
            if refused is not None:
                assert refused.status is before
                assert step(before, act) is None or refused.later is not None
                continue
            longer = [*history, change(len(history) + 1, act, moment)]
            assert step(before, act) is after
            assert status_at(longer, at) is after
            for earlier in range(-1, moment):
                then = T0 + earlier * HOUR
                assert status_at(longer, then) is status_at(history, then)


def test_the_order_of_recording_decides_only_between_equal_moments() -> None:
    history = [change(1, Act.SUSPEND, 1), change(2, Act.REINSTATE, 1)]
    assert status_at(history, T0 + HOUR) is Status.IN_FORCE
    assert status_at(list(reversed(history)), T0 + HOUR) is Status.IN_FORCE
    late = [change(1, Act.SUSPEND, 2), change(2, Act.REVOKE, 1)]  # recorded later, counts earlier
    assert timeline(late) == [Status.IN_FORCE, Status.IN_FORCE, Status.REVOKED, Status.REVOKED, Status.REVOKED]


def test_an_act_that_would_undo_a_later_one_is_refused_and_names_it() -> None:
    history = [change(1, Act.SUSPEND, 0), change(2, Act.REINSTATE, 2)]
    with pytest.raises(StepError) as caught:
        check_step(history, Act.REINSTATE, T0 + HOUR)
    assert caught.value.later is Act.REINSTATE
    assert check_step(history, Act.REVOKE, T0 + HOUR) is Status.REVOKED


def test_what_was_told_then_leaves_out_what_was_recorded_later() -> None:
    history = [change(1, Act.REVOKE, 0, recorded=5)]
    at = T0 + 2 * HOUR
    assert status_at(history, at) is Status.REVOKED
    assert status_at(history, at, known=T0 + 4 * HOUR) is Status.IN_FORCE
    assert status_at(history, at, known=T0 + 5 * HOUR) is Status.REVOKED


def license_(state: LicenseState = LicenseState.ISSUED) -> License:
    return License(
        identifier="1.2.156.3005.2.T.I.S.001.X", type="t", type_version=1, number_index="n", version=1, copy_number=0,
        status_list=1, status_index=7, issuer_code="c", region="410200", sealed=b"", session="s", allotted_at=T0,
        valid_from=datetime.date(2026, 1, 1), valid_to=datetime.date(2026, 1, 31), state=state,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "acts", "expected"),
    [
        ("2025-12-31", (), Standing.NOT_YET),
        ("2025-12-31", (Act.SUSPEND,), Standing.SUSPENDED),
        ("2026-01-31", (), Standing.IN_FORCE),
        ("2026-01-31", (Act.SUSPEND,), Standing.SUSPENDED),
        ("2026-02-01", (), Standing.EXPIRED),
        ("2026-02-01", (Act.SUSPEND,), Standing.EXPIRED),
        ("2026-02-01", (Act.RENEW,), Standing.SUPERSEDED),
        ("2026-02-01", (Act.RENEW, Act.REVOKE), Standing.REVOKED),
    ],
)
def test_dates_and_acts_together(day: str, acts: Sequence[Act], expected: Standing) -> None:
    history = [change(n, act, -10_000) for n, act in enumerate(acts, 1)]
    assert standing_at(license_(), history, T0, datetime.date.fromisoformat(day)) is expected


def test_a_void_number_is_invalid_in_the_list_and_has_no_standing() -> None:
    assert list_value(license_(LicenseState.VOID), [], T0) == 1
    assert standing_at(license_(LicenseState.VOID), [], T0, T0.date()) is Standing.UNKNOWN


def test_every_act_has_reasons_in_two_languages_and_a_usual_one() -> None:
    for act in Act:
        assert USUAL[act] in REASONS[act]
        assert "other" in REASONS[act]
        for code, (zh, en) in REASONS[act].items():
            assert len(code) <= 40
            assert zh
            assert not zh.isascii()
            assert en.isascii()
