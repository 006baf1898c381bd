"""The feed of changes: each change once, in order, none behind a reader's back, and not a word about whose it is."""

from __future__ import annotations

import datetime
import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event as sql_event

from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import FixedClock
from certvault.db.feed import FeedReader
from certvault.db.unit_of_work import UnitOfWork
from certvault.feed import entry_json
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.keys import event
from certvault.model.standing import Act
from certvault.standing import Asked
from certvault.versions import Content
from tests.conftest import NOW
from tests.support.postgres import PostgresServer
from verify.formats.refusal import RefusedError

TYPE = "food-business-license"
READER = Actor("token:reader", frozenset({"verifier"}))
Example = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """One vault on SQLite whose clock stands until a test moves it on."""
    folder = tmp_path_factory.mktemp("quiet") / "var"
    with create_vault(InitOptions(folder=folder, keys="file"), clock=FixedClock(NOW)) as vault:
        yield vault


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Vault]:
    """One vault on PostgreSQL, for writers that meet."""
    url = postgres_server.new_database()
    folder = tmp_path_factory.mktemp("busy") / "var"
    with create_vault(InitOptions(folder=folder, keys="file", database_url=url)) as vault:
        yield vault
    postgres_server.drop_database(url)


def issue(vault: Vault, example: Example) -> str:
    return vault.issuing.issue(TYPE, example(TYPE), actor=LOCAL_OPERATOR).identifier


def entries(vault: Vault, after: str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
    page = vault.feed.page(after, limit, READER)
    return [entry_json(change, vault.settings.base_url) for change in page.changes]


def walk(vault: Vault, limits: list[int]) -> list[int]:
    """The numbers, read page by page with those limits, round and round."""
    found: list[int] = []
    cursor, more, n = None, True, 0
    while more:
        page = vault.feed.page(cursor, limits[n % len(limits)], READER)
        found += [c.told.number for c in page.changes]
        cursor, more, n = page.cursor, page.more, n + 1
    return found


def test_the_life_of_a_license_is_told_in_order(quiet: Vault, example: Example) -> None:
    vault, clock = quiet, quiet.clock
    assert isinstance(clock, FixedClock)
    begin = vault.feed.page("latest", 1, READER).cursor
    one = issue(vault, example)
    later = clock.now() + datetime.timedelta(days=2)
    vault.life.act(one, Act.SUSPEND, actor=LOCAL_OPERATOR, asked=Asked(effective=later.isoformat()))
    told = entries(vault, begin)
    assert [(t["act"], t["stage"], t["standing"]) for t in told] == [
        ("issue", "recorded", "IN_FORCE"),
        ("suspend", "recorded", "IN_FORCE"),
    ]
    cursor = str(told[-1]["number"])
    assert entries(vault, cursor) == []
    clock.at = later
    (came,) = entries(vault, cursor)
    assert (came["act"], came["stage"], came["standing"], came["of"]) == (
        "suspend", "took-effect", "SUSPENDED", told[-1]["number"],
    )  # fmt: skip
    clock.at += datetime.timedelta(hours=1)
    vault.life.act(one, Act.REINSTATE, actor=LOCAL_OPERATOR)
    made = vault.life.act(one, Act.RENEW, actor=LOCAL_OPERATOR, content=Content({}, "2031-11-23"))
    vault.life.act(made.issued.identifier, Act.REVOKE, actor=LOCAL_OPERATOR)
    rest = entries(vault, str(came["number"]))
    assert [(t["identifier"], t["act"], t["standing"]) for t in rest] == [
        (one, "reinstate", "IN_FORCE"),
        (one, "renew", "SUPERSEDED"),
        (made.issued.identifier, "issue", "IN_FORCE"),
        (one, "revoke", "REVOKED"),
        (made.issued.identifier, "revoke", "REVOKED"),
    ]
    assert rest[1]["successor"] == made.issued.identifier
    again = entries(vault, begin)
    assert again[:2] == told, "an entry read again tells the same"
    assert [t["number"] for t in again] == sorted({t["number"] for t in again})
    found = vault.licenses.readable(one, LOCAL_OPERATOR)
    assert told[0]["status"] == {
        "uri": f"{vault.settings.base_url}/status-lists/{found.status_list}",
        "idx": found.status_index,
    }


def test_the_feed_names_nobody(quiet: Vault, example: Example) -> None:
    vault = quiet
    one = issue(vault, example)
    vault.life.act(one, Act.REVOKE, actor=LOCAL_OPERATOR, asked=Asked("punished", "basis in words"))
    view = vault.licenses.get(one, LOCAL_OPERATOR)
    text = json.dumps(entries(vault), ensure_ascii=False)
    days = {view.valid_from.isoformat(), str(view.valid_to)}
    values = {view.number, *(h.name for h in view.holders), *(h.code for h in view.holders), *view.fields.values()}
    assert len(values) > 5
    assert not [v for v in {*map(str, values), "punished", "basis in words"} - days if len(v) > 2 and v in text]
    assert "local-operator" not in text
    with pytest.raises(RefusedError, match="FORBIDDEN"):
        vault.feed.page(None, 10, Actor("token:h", frozenset({"holder"}), holder_index="x"))


def test_pages_of_any_size_give_the_whole_feed_once(quiet: Vault, example: Example) -> None:
    """A property, for many ways to cut the same feed."""
    vault = quiet
    one = issue(vault, example)
    for _ in range(6):
        vault.life.act(one, Act.SUSPEND, actor=LOCAL_OPERATOR)
        vault.life.act(one, Act.REINSTATE, actor=LOCAL_OPERATOR)
    whole = [t["number"] for t in entries(vault)]
    assert len(whole) >= 13
    dice = random.Random(1)
    for _ in range(40):
        assert walk(vault, [dice.randint(1, len(whole) + 2) for _ in range(5)]) == whole
    page = vault.feed.page(None, len(whole), READER)
    assert (page.cursor, page.more) == (str(whole[-1]), False)
    assert vault.feed.page("latest", 1, READER).changes == []


@pytest.mark.parametrize("cursor", ["99999", "x", "1.5", "1 ", "0x1", "9" * 30, "LATEST", "-"])
def test_a_cursor_ahead_of_the_vault_or_malformed_is_refused(quiet: Vault, cursor: str) -> None:
    with pytest.raises(RefusedError, match="CURSOR_UNKNOWN"):
        quiet.feed.page(cursor, 10, READER)


def test_a_page_is_read_by_indexes_alone(quiet: Vault) -> None:
    """What a page costs does not grow with the vault: no source is scanned or sorted."""
    vault = quiet
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    engine = vault._database.engine
    sql_event.listen(engine, "before_cursor_execute", note)
    vault.feed.page(None, 10, READER)
    sql_event.remove(engine, "before_cursor_execute", note)
    sources = [(s, p) for s, p in seen if "feed_number" in s or "status_changes" in s]
    assert len(sources) >= 3
    with vault._database.reading() as view:
        for statement, parameters in sources:
            plan = view.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            steps = [row[3] for row in plan]
            assert all("SEARCH" in step and "USING" in step for step in steps), steps


# --- two writers at once -----------------------------------------------------------------------------------------


def number_one(vault: Vault, uow: UnitOfWork, identifier: str) -> int:
    """Give a license that was issued a new number at the end of the feed, as issuing does."""
    found = uow.view.licenses.get(identifier)
    assert found is not None
    from dataclasses import replace

    number = uow.statuses.take()
    uow.licenses.save(replace(found, feed_number=number), event("LICENSE_ISSUED", identifier, "test"))
    return number


def test_a_writer_that_commits_late_is_not_overtaken(busy: Vault, example: Example) -> None:
    """The first takes its number and dawdles; the second comes after it, so a reader meets both or neither."""
    vault = busy
    slow, quick = issue(vault, example), issue(vault, example)
    cursor = vault.feed.page(None, 1000, READER).cursor
    holding, go_on = threading.Event(), threading.Event()

    def dawdle() -> int:
        with vault._database.writing() as uow:
            number = number_one(vault, uow, slow)
            holding.set()
            assert go_on.wait(20)
            return number

    def hurry() -> int:
        assert holding.wait(20)
        with vault._database.writing() as uow:
            return number_one(vault, uow, quick)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(dawdle), pool.submit(hurry)
        assert holding.wait(20)
        for _ in range(20):
            page = vault.feed.page(cursor, 10, READER)
            assert page.changes == []
            assert page.cursor == cursor, "the reader would step over what is not committed yet"
        assert not second.done()
        go_on.set()
        numbers = [first.result(20), second.result(20)]
    assert numbers == sorted(numbers)
    assert [c.told.number for c in vault.feed.page(cursor, 10, READER).changes] == numbers


def test_what_is_committed_between_two_looks_of_one_page_is_not_stepped_over(
    busy: Vault, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issues are read first; then an issue and an act are committed; then acts are read."""
    vault = busy
    one = issue(vault, example)
    cursor = vault.feed.page(None, 1000, READER).cursor
    plain = FeedReader._issues
    did: list[str] = []

    def interrupted(self: FeedReader, number: int, upto: int, limit: int) -> Any:
        found = list(plain(self, number, upto, limit))
        if not did:
            did.append("once")
            with vault._database.writing() as uow:
                number_one(vault, uow, one)
            vault.life.act(one, Act.SUSPEND, actor=LOCAL_OPERATOR)
        return iter(found)

    monkeypatch.setattr(FeedReader, "_issues", interrupted)
    page = vault.feed.page(cursor, 10, READER)
    rest = vault.feed.page(page.cursor, 10, READER)
    assert [c.told.act for c in (*page.changes, *rest.changes)] == ["issue", "suspend"]


def test_a_reader_misses_nothing_while_writers_commit_and_give_up(busy: Vault, example: Example) -> None:
    """Four writers suspend, reinstate, number and roll back, each with a pause before the commit; a reader follows."""
    vault = busy
    names = [issue(vault, example) for _ in range(3)]
    start = vault.feed.page(None, 1000, READER).cursor
    committed: list[int] = []
    lock = threading.Lock()

    class GaveUpError(Exception):
        pass

    def write(seed: int) -> None:
        dice = random.Random(seed)
        for n in range(25):
            try:
                if seed < len(names):
                    act = Act.SUSPEND if n % 2 == 0 else Act.REINSTATE
                    done = vault.standings.change(names[seed], act, actor=LOCAL_OPERATOR, asked=Asked())
                    numbers = [done.number or 0]
                else:
                    with vault._database.writing() as uow:
                        numbers = [uow.statuses.take(dice.randint(1, 3))]
                        threading.Event().wait(dice.random() * 0.004)
                        raise GaveUpError
            except GaveUpError:
                continue
            with lock:
                committed.extend(numbers)

    read: list[int] = []
    ended = threading.Event()

    def follow() -> None:
        cursor = start
        while True:
            last = ended.is_set()
            page = vault.feed.page(cursor, 7, READER)
            read.extend(c.told.number for c in page.changes)
            cursor = page.cursor
            if last and not page.more:
                return

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(follow)
        writers = [pool.submit(write, seed) for seed in range(4)]
        for one in writers:
            one.result(60)
        ended.set()
        reader.result(60)
    assert read == sorted(committed)
    assert len(read) == 75
