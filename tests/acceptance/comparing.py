"""Whether what Prometheus has scraped and recorded says the same as the tickets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.acceptance import expected
from tests.acceptance.expected import Expected, Series, Ticket
from tests.acceptance.files import SHIPPED_RULES
from tests.acceptance.progress import Failed, require, say, until
from tests.servers.prometheus import Prometheus

_WINDOWS = ("1d", "7d", "30d")
_EXACT_ENOUGH = 1e-3


class Comparison:
    """The tickets are read anew in each round: Alertmanager may repeat an all-clear at any time."""

    def __init__(self, prometheus: Prometheus, tickets: Callable[[], Sequence[Ticket]]) -> None:
        self._prometheus = prometheus
        self._tickets = tickets

    def sums(self) -> int:
        """Waits for the scrape that agrees; gives the number of series. Raises Failed with the differences."""
        # Heartbeats are on no ticket.
        form = 'sum by ({labels}) ({name}{{job="responder",outcome!="heartbeat"}})'
        return self._agree(expected.sums, form, within=20.0)

    def shares(self) -> int:
        """Waits for the evaluation that agrees; gives the number of series. Raises Failed with the differences."""
        forms = [f"{{name}}:ratio{window}" for window in _WINDOWS]
        return sum(self._agree(expected.shares, form, within=60.0) for form in forms)

    def _agree(self, work_out: Callable[[Sequence[Ticket]], Expected], form: str, *, within: float) -> int:
        wanted: Expected = {}
        differences: list[str] = []

        def look() -> bool:
            wanted.clear()
            wanted.update(work_out(self._tickets()))
            differences[:] = self._differences(wanted, form)
            return not differences

        try:
            until("Prometheus and the tickets agree", look, within=within)
        except Failed as error:
            raise Failed("; ".join(differences)) from error
        for (name, *labels), series in wanted.items():
            say(f"  {_promql(form, name, labels)} = {_told(series)}")
        return sum(len(series) for series in wanted.values())

    def _differences(self, wanted: Expected, form: str) -> list[str]:
        found = []
        for (name, *labels), series in wanted.items():
            promql = _promql(form, name, labels)
            answer = self._prometheus.query(promql)
            shown = {tuple(metric[label] for label in labels): value for metric, value in answer}
            if not _is_same(series, shown):
                found.append(f"{promql}: the tickets say {_told(series)}, Prometheus says {_told(shown)}")
        return found


def check_rules(prometheus: Prometheus) -> int:
    """Every rule of the project is loaded, and none fails. Gives how many there are."""
    shipped = [rule for rule in prometheus.rules() if rule["file"].startswith(f"{SHIPPED_RULES}/")]
    files = {str(path) for path in SHIPPED_RULES.glob("*.yml")}
    require({rule["file"] for rule in shipped} == files, "all files of rules are loaded")
    for rule in prometheus.rules():
        if not rule["file"].startswith(f"{SHIPPED_RULES}/") and "out of order" in (rule.get("lastError") or ""):
            # Many copies of one rule write one series: on a slow machine two of them meet.
            continue
        require(rule["health"] != "err", f"rule {rule['name']} in {rule['file']} works: {rule.get('lastError')}")
    return len(shipped)


def _promql(form: str, name: str, labels: Sequence[str]) -> str:
    return form.format(name=name, labels=", ".join(labels))


def _is_same(wanted: Series, shown: Series) -> bool:
    return wanted.keys() == shown.keys() and all(abs(wanted[key] - shown[key]) < _EXACT_ENOUGH for key in wanted)


def _told(series: Series) -> str:
    return ", ".join(f"{'/'.join(key)} {value:g}" for key, value in sorted(series.items())) or "nothing"
