"""A hub gathers: the lists of the regions that it admits, those of hubs below it, and the anchors that lead to them;
then the notices of the regions (:mod:`certvault.relaysync`).

A member's round is here as well: what it asks directly, and what comes through hubs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from certvault.db.unit_of_work import Database
from certvault.hub import Hub
from certvault.hubrefusals import require_hub
from certvault.hubs import Hubs
from certvault.model.actor import Actor, Role
from certvault.model.hub import EntryRecord
from certvault.model.keys import VAULT_OWNER, event
from certvault.regions import Regions
from certvault.regionsync import RegionSync, Synced
from certvault.relaysync import RelaySync
from certvault.settings import Settings
from certvault.web import Web, WebError
from verify.formats.anchor import MAX_BYTES as MAX_ANCHOR
from verify.formats.hubentry import unverified_entry
from verify.trust.lists import Adopted, AdoptionError, anchors_served, offer_anchors

_ACTOR = Actor(VAULT_OWNER, frozenset({Role.OPERATOR}))


class Gathering:
    """One round of asking everybody."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        hubs: Hubs,
        regions: Regions,
        sync: RegionSync,
        relay: RelaySync,
        web: Web,
        settings: Settings,
    ) -> None:
        self._database = database
        self._hub = hub
        self._hubs = hubs
        self._regions = regions
        self._sync = sync
        self._relay = relay
        self._web = web
        self._settings = settings

    def gather(self) -> list[tuple[str, str]]:
        """Pull everything; the code of what was wrong by region. What one region does keeps no other from it."""
        require_hub(self._settings)
        return self._gathered(self._sync.sync(_ACTOR), due_only=False)

    def due(self) -> list[tuple[str, str]]:
        """The same with those whose time has come: what the service does in the background, a member's too."""
        asked = self._sync.sync_due()
        if not self._settings.is_hub:
            found = self._hubs.sync(due_only=True)
            self._relay.sync(due_only=True)
            return sorted({**{s.region: s.code for s in asked}, **dict(found.hubs), **dict(found.regions)}.items())
        return self._gathered(asked, due_only=True)

    def _gathered(self, asked: Sequence[Synced], *, due_only: bool) -> list[tuple[str, str]]:
        done = {s.region: s.code for s in asked}
        done |= dict(self._hubs.sync(due_only=due_only).hubs)
        if done:
            self._hub.keep()
            for entry in self._entries():
                self._walk(entry)
        self._relay.sync(due_only=due_only)  # behind the lists, under which notices are judged
        return sorted(done.items())

    def _entries(self) -> list[EntryRecord]:
        with self._database.reading() as view:
            return view.hub_entries.where(hub=self._settings.region, kind="region")

    def _walk(self, record: EntryRecord) -> None:
        """Keep the anchors between that of the entry and the one that is held, so that members can walk them too."""
        held = next((h.state.anchor for h in self._regions.held() if h.state.region == record.region), None)
        entry, _ = unverified_entry(record.token)
        known = {a["sequence"] for a in json.loads(record.anchors)}
        if held is None or held.sequence <= entry.anchor.sequence or held.sequence in known:
            return
        try:
            body = self._web.get(f"{entry.address}/v1/trust-list/anchors", limit=MAX_ANCHOR * 16).body
            steps = [a for a in anchors_served(body) if a.sequence <= held.sequence]
            reached = offer_anchors(Adopted(entry.anchor), steps, self._regions.rules(entry.anchor)).anchor
        except (WebError, AdoptionError):
            return  # the next round tries again; until then members have the entry's anchor
        if reached.statement() != held.statement():
            return
        walked = json.dumps([a.to_json() for a in steps if a.sequence > entry.anchor.sequence], ensure_ascii=False)
        with self._database.writing() as uow:
            current = uow.hub_entries.get(record.hub, record.region, lock=True)
            if current is not None and current.digest == record.digest:
                told = event("HUB_ANCHORS_KEPT", f"region:{record.region}", VAULT_OWNER, sequence=held.sequence)
                uow.hub_entries.save(replace(current, anchors=walked), told)
