"""The figures of ``/metrics``, in the Prometheus text format.

Phone and engine tell their figures in status beats; the console adds what it
sees itself. Pure: the same beats and board give the same text. It refuses
every label value that is not on a list of ours, so that no number, name or word
of a caller can ever become one. ``docs/reference/metrics.md`` explains each.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console.beats import Beat
from console.filters import PURPOSES, STATES, URGENCIES
from incidents.fold import Incident

PROCESSES: Final = ("phone", "engine")
OUTCOMES: Final = ("answered", "refused", "guarded")
"""Ends of a webhook: answered with TwiML; refused unsigned (403); and, of those answered, kept
on the line by the guard because something failed inside."""
ON_SPARE: Final = frozenset({"journal-spare"})
"""Alarms of the phone that say its first journal folder does not write."""

ALARMS: Final = (
    "way-not-proved",
    "alert-stuck",
    "rung-overdue",
    "ladder-silent",
    "nobody-on-duty",
    "call-silent",
    "heartbeat-failed",
    "drain-lag",
    "set-aside",
    "unread",
    "officers-not-told",
    "markers-failed",
    "rules-failed",
    "reviews-overdue",
    "routing",
    "audit-log",
    "journal-spare",
    "journal-failed",
    "refused-webhooks",
    "silent-phone",
    "silent-engine",
    "board",
    "store",
    "journal",
)
"""Every alarm there is, by name: what is on no list of ours becomes no label."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric fed from beats: its key there, which is also its name, and what it means."""

    key: str
    text: str


COUNTERS: Final = (
    Figure("webhooks_refused_naming_us", "Refused webhooks that named our own account."),
    Figure("journal_commits", "Commits to the journal."),
    Figure("journal_events", "Events written to the journal."),
    Figure("journal_failures", "Times the first journal folder failed."),
    Figure("journal_spared", "Webhooks whose events the spare journal took."),
    Figure("journal_unwritten", "Webhooks answered although no journal took their events."),
    Figure("answered_journal_only", "Webhooks answered before the store had their events."),
    Figure("drained_events", "Events copied from the journal to the store."),
    Figure("drain_batches", "Transactions in which events were copied to the store."),
    Figure("store_failures", "Times the store did not answer the engine."),
    Figure("events_set_aside", "Events nobody could read, kept in the table set_aside."),
)
GAUGES: Final = (
    Figure("journal_commit_ms", "Milliseconds the latest commit took, disk included."),
    Figure("journal_commit_slowest_ms", "Milliseconds the slowest commit took."),
    Figure("journal_only", "Events answered for that only this machine's journal holds."),
    Figure("drain_lag_seconds", "For how long the store has not taken what the journal holds."),
    Figure("fields_unread", "Fields on record that the engine cannot read and leaves out."),
    Figure("reviews_overdue", "Calls in review that were not looked at in time."),
    Figure("working", "1 in the engine that drains, 0 in one that stands by."),
)


@dataclass(frozen=True, slots=True)
class Feeds:
    """The console's own figures: open live feeds, messages sent, feeds let go as too slow."""

    open: int
    sent: int
    let_go: int


def exposition(
    beats: Iterable[Beat],
    board: Iterable[Incident] | None,
    feeds: Feeds,
    *,
    alarms: int = 0,
    standing: Iterable[str] = (),
) -> bytes:
    """Write all figures.

    ``board``: the incidents it shows, None when that is not known; ``alarms``: how many stand;
    ``standing``: their names.
    """
    registry = CollectorRegistry()
    shown = None if board is None else list(board)
    registry.register(_Figures(list(beats), shown, feeds, alarms, frozenset(standing)))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(
        self,
        beats: list[Beat],
        board: list[Incident] | None,
        feeds: Feeds,
        alarms: int,
        standing: frozenset[str],
    ) -> None:
        self._standing = standing
        self._beats = [beat for beat in beats if beat.process in PROCESSES]
        self._board = board
        self._feeds = feeds
        self._alarms = alarms

    def collect(self) -> Iterable[Metric]:
        yield self._webhooks()
        for figure in COUNTERS:
            counter = CounterMetricFamily(_named(figure), figure.text, labels=["process", "pid"])
            self._add(counter, figure, "counters")
            yield counter
        for figure in GAUGES:
            gauge = GaugeMetricFamily(_named(figure), figure.text, labels=["process", "pid"])
            self._add(gauge, figure, "gauges")
            yield gauge
        yield self._spare()
        yield self._workers()
        if self._board is not None:
            yield self._incidents(self._board)
        open_feeds = "Screens and programs that listen to the live feed."
        yield GaugeMetricFamily("quietline_live_feeds", open_feeds, self._feeds.open)
        sent = "Messages put on live feeds."
        yield CounterMetricFamily("quietline_live_messages", sent, self._feeds.sent)
        let_go = "Live feeds ended because they did not keep up."
        yield CounterMetricFamily("quietline_live_let_go", let_go, self._feeds.let_go)
        yield GaugeMetricFamily("quietline_alarms", "Alarms that stand.", self._alarms)
        alarm = GaugeMetricFamily("quietline_alarm", "1 while this alarm stands.", labels=["name"])
        for name in ALARMS:
            alarm.add_metric([name], name in self._standing)
        yield alarm

    def _webhooks(self) -> Metric:
        family = CounterMetricFamily(
            "quietline_webhooks", "Webhooks by how they ended.", labels=["outcome", "pid"]
        )
        for beat in self._beats:
            counters = _told(beat, "counters")
            for outcome in OUTCOMES:
                value = _number(counters.get(f"webhooks_{outcome}"))
                if value is not None:
                    family.add_metric([outcome, str(beat.pid)], value)
        return family

    def _add(
        self, family: CounterMetricFamily | GaugeMetricFamily, figure: Figure, kind: str
    ) -> None:
        for beat in self._beats:
            value = _number(_told(beat, kind).get(figure.key))
            if value is not None:
                family.add_metric([beat.process, str(beat.pid)], value)

    def _spare(self) -> Metric:
        family = GaugeMetricFamily(
            "quietline_journal_spare_in_use",
            "1 while the spare journal writes.",
            labels=["process", "pid"],
        )
        for beat in self._beats:
            if beat.process == "phone":
                spare = any(alarm.id in ON_SPARE for alarm in beat.alarms)
                family.add_metric(["phone", str(beat.pid)], spare)
        return family

    def _workers(self) -> Metric:
        family = GaugeMetricFamily(
            "quietline_workers", "Processes heard lately.", labels=["process"]
        )
        heard = Counter(beat.process for beat in self._beats)
        for process in PROCESSES:
            family.add_metric([process], heard[process])
        return family

    @staticmethod
    def _incidents(board: Iterable[Incident]) -> Metric:
        family = GaugeMetricFamily(
            "quietline_board_incidents",
            "Incidents the live board shows.",
            labels=["urgency", "state", "purpose"],
        )
        counted = Counter((each.urgency, each.state, each.purpose) for each in board)
        for purpose in PURPOSES:
            for state in STATES:
                for urgency in URGENCIES:
                    here = counted[urgency, state, purpose]
                    family.add_metric([str(urgency), state, purpose], here)
        return family


def _named(figure: Figure) -> str:
    return f"quietline_{figure.key}"


def _told(beat: Beat, kind: str) -> Mapping[str, object]:
    told = beat.figures.get(kind)
    return told if isinstance(told, Mapping) else {}


def _number(value: object) -> float | None:
    """Read a figure from a beat: anything on this machine may have sent it."""
    if not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
