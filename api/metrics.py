"""Counters in Prometheus' text form (exposition format 0.0.4). No label holds personal data."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
"""Upper bounds of the duration histogram, in seconds."""

_Labels = tuple[tuple[str, str], ...]


class Metrics:
    """What this process has done since it started. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[_Labels] = Counter()
        self._durations: dict[str, list[float]] = {}
        self._events: Counter[tuple[str, _Labels]] = Counter()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request under its route's pattern."""
        with self._lock:
            self._requests[("method", method), ("route", route), ("status", str(status))] += 1
            row = self._durations.setdefault(route, [0.0] * (len(BUCKETS) + 2))
            for i, bound in enumerate(BUCKETS):
                row[i] += seconds <= bound
            row[-2] += 1
            row[-1] += seconds

    def count(self, name: str, /, **labels: str) -> None:
        """Count one event, such as ``verifications`` by conclusion."""
        with self._lock:
            self._events[name, tuple(sorted(labels.items()))] += 1

    def text(self, gauges: Mapping[str, float]) -> str:
        """All of it, with ``gauges`` read at this moment."""
        with self._lock:
            lines = ["# TYPE certvault_requests_total counter"]
            lines += [f"certvault_requests_total{_braces(k)} {v}" for k, v in sorted(self._requests.items())]
            lines.append("# TYPE certvault_request_seconds histogram")
            for route, row in sorted(self._durations.items()):
                lines += _histogram(route, row)
            for name in sorted({name for name, _ in self._events}):
                lines.append(f"# TYPE certvault_{name}_total counter")
                lines += [
                    f"certvault_{name}_total{_braces(k)} {v}" for (n, k), v in sorted(self._events.items()) if n == name
                ]
        for name, value in sorted(gauges.items()):
            lines += [f"# TYPE certvault_{name} gauge", f"certvault_{name} {value:g}"]
        return "\n".join(lines) + "\n"


def _histogram(route: str, row: list[float]) -> list[str]:
    name = "certvault_request_seconds"
    bounds = [*(f"{b:g}" for b in BUCKETS), "+Inf"]
    counts = [*row[: len(BUCKETS)], row[-2]]
    lines = [
        f"{name}_bucket{_braces((('route', route), ('le', b)))} {c:g}" for b, c in zip(bounds, counts, strict=True)
    ]
    label = _braces((("route", route),))
    return [*lines, f"{name}_count{label} {row[-2]:g}", f"{name}_sum{label} {row[-1]:.6f}"]


def _braces(labels: _Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{k}="{_escaped(v)}"' for k, v in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
