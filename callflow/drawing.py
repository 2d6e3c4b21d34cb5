"""Draws the rule table as a state diagram: ``python -m callflow.drawing`` writes the file.

With ``-`` the picture goes to the standard output instead. Every arrow and every cell comes from
``RULES``; only where a stage stands on the page and the words under its name are written here.
The same table always gives the same bytes, so a test can tell when ``docs/`` is stale.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from xml.sax.saxutils import escape

from callflow.call import Stage
from callflow.events import Event
from callflow.flow import RULES

FILE = Path(__file__).resolve().parent.parent / "docs" / "callflow.svg"
WIDTH, HEIGHT = 1400, 1504
MANY = 4
"""Stages from which one event leads to the same place are drawn as one arrow from here on."""

_HALF_HEIGHT = 34
_LINE = 17
_ROW = 38
_TABLE_TOP, _TABLE_LEFT = 872, 28
_FIRST_COLUMN = 152
_SHARED_CELL = 0.62
"""Width of a cell's part, beside a cell that leads to one stage only."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something stands: its middle, half its width, its words and its kind."""

    x: int
    y: int
    half: int
    name: str
    words: str
    kind: str


BOXES: dict[Stage | None, Box] = {
    Stage.NEW: Box(128, 162, 90, "new", "nobody has answered", "prompt"),
    Stage.MENU: Box(745, 300, 90, "menu", "a choice by key", "prompt"),
    Stage.SERVICE: Box(432, 162, 90, "service", "which service?", "prompt"),
    Stage.ANY_KEY: Box(736, 162, 90, "any key", "press any key", "prompt"),
    Stage.SIGNAL: Box(1040, 162, 90, "signal", "press the full signal", "prompt"),
    Stage.CODE: Box(128, 320, 90, "code", "a code, or silence", "prompt"),
    Stage.REACH: Box(500, 320, 90, "reach", "point of contact is rung", "bridged"),
    Stage.ASKED: Box(128, 520, 90, "asked", "a yes/no question", "prompt"),
    Stage.HOLD: Box(640, 520, 130, "hold", "line open, keys still heard", "hold"),
    Stage.BRIDGED: Box(1040, 520, 90, "bridged", "with a person of ours", "bridged"),
    Stage.ENDED: Box(640, 764, 90, "ended", "goodbye, or call over", "ended"),
    None: Box(128, 764, 90, "at any stage", "whatever was asked", "any"),
}
"""``None`` stands for all stages at once."""
_ALONG: dict[tuple[Stage | None, Stage], float] = {
    (Stage.NEW, Stage.HOLD): 0.72,
    (Stage.NEW, Stage.MENU): 0.2,
    (None, Stage.BRIDGED): 0.69,
    (None, Stage.HOLD): 0.55,
}
"""How far along an arrow its label stands, where the middle is taken."""

_STYLE = """
.page{fill:#fff;stroke:#d5dae1}.title,.name,.cell{fill:#14191f}.words,.note,.head{fill:#4b5563}
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Cantarell,"Noto Sans",sans-serif}
.title{font-size:22px;font-weight:650}.note{font-size:13.5px}.name{font-size:17px;font-weight:650}
.words{font-size:12.5px}.head{font-size:12.5px;font-weight:600}.cell{font-size:13px}
.middle{text-anchor:middle}.line{stroke:#d5dae1;stroke-width:1}
.edge{fill:none;stroke:#5b6673;stroke-width:1.75}.tip{fill:#5b6673}
.label{font-size:13px;fill:#14191f;stroke:#fff;stroke-width:5px;stroke-linejoin:round;
paint-order:stroke}
.box{stroke-width:1.75}.prompt{fill:#e8f0fc;stroke:#3f6fb5}.hold{fill:#dff3e4;stroke:#2a7d46}
.bridged{fill:#f1e8fb;stroke:#7c4bb0}.ended{fill:#eceef1;stroke:#6b7280}
.any{fill:#fff;stroke:#5b6673;stroke-dasharray:6 4}.box.hold{stroke-width:3}
@media (prefers-color-scheme:dark){
.page{fill:#12161b;stroke:#2e3640}.title,.name,.cell{fill:#eef1f5}.words,.note,.head{fill:#aab4c0}
.line{stroke:#2e3640}.edge{stroke:#97a3b1}.tip{fill:#97a3b1}.label{fill:#eef1f5;stroke:#12161b}
.prompt{fill:#182840;stroke:#7fa9e6}.hold{fill:#14321f;stroke:#66c487}
.bridged{fill:#2a1d3d;stroke:#bb92ea}.ended{fill:#262b32;stroke:#98a2af}
.any{fill:#12161b;stroke:#97a3b1}}
""".strip()


_TIP = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7"'
    ' markerHeight="7" orient="auto"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>'
)


def words(event: type[Event]) -> str:
    """Return an event's name in words, ``keys pressed``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event.__name__).lower()


def arrows() -> dict[tuple[Stage | None, Stage], list[str]]:
    """Return what to draw between two boxes: the events that lead from one to the other.

    An event that leads from ``MANY`` stages or more to one and the same stage leads there from
    "any stage", and the stages it does not are named.
    """
    drawn: dict[tuple[Stage | None, Stage], list[str]] = {}
    for event in get_args(Event):
        for to in Stage:
            sources = [stage for stage in Stage if RULES[stage, event].to == (to,)]
            if len(sources) >= MANY:
                but = [BOXES[stage].name for stage in Stage if stage not in sources]
                label = words(event) + (f" (not {', '.join(but)})" if but else "")
                drawn.setdefault((None, to), []).append(label)
            for stage in Stage:
                if stage in sources and len(sources) >= MANY:
                    continue
                if to in RULES[stage, event].to and (stage in sources or _splits(stage, event)):
                    drawn.setdefault((stage, to), []).append(words(event))
    return drawn


def draw() -> str:
    """Return the whole picture as SVG text, ending in a newline."""
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" role="img" aria-labelledby="title desc">'
    )
    return "\n".join(
        (
            opening,
            '<title id="title">The call flow of Quietline, drawn from its rule table</title>',
            f'<desc id="desc">{escape(_described())}</desc>',
            f"<style>{_STYLE}</style>",
            _TIP,
            f'<rect class="page" x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="12"/>',
            _text(28, 44, "title", "What a silent call does next"),
            _text(28, 70, "note", "Any sign leads to hold, and hold to no prompt."),
            *_edges(),
            *map(_box, BOXES.values()),
            *_table(),
            "</svg>\n",
        )
    )


def _splits(stage: Stage, event: type[Event]) -> bool:
    return len(RULES[stage, event].to) > 1


def _described() -> str:
    rows = (
        f"{words(event)} at {BOXES[stage].name} leads to {_places(rule.to)}"
        for (stage, event), rule in RULES.items()
    )
    return "; ".join(rows) + "."


def _places(stages: tuple[Stage, ...]) -> str:
    return " or ".join(BOXES[stage].name for stage in stages)


def _text(x: float, y: float, kind: str, text: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(text)}</text>'


def _box(box: Box) -> str:
    return (
        f'<rect class="box {box.kind}" x="{box.x - box.half}" y="{box.y - _HALF_HEIGHT}"'
        f' width="{2 * box.half}" height="{2 * _HALF_HEIGHT}" rx="12"/>\n'
        f"{_text(box.x, box.y - 4, 'name middle', box.name)}\n"
        f"{_text(box.x, box.y + 17, 'words middle', box.words)}"
    )


def _edges() -> Iterator[str]:
    """Lines first, so that no line crosses a label."""
    labels: list[str] = []
    drawn = arrows()
    for (source, to), events in drawn.items():
        one, other = BOXES[source], BOXES[to]
        if one is other:
            path, x, y = _loop(one)
            rows = [y + _LINE * at for at in range(len(events))]
        else:
            apart = 13 if (to, source) in drawn else 0
            path, x, y = _between(one, other, apart, _ALONG.get((source, to), 0.5))
            rows = _rows(one, other, y, len(events))
            if one.x == other.x:  # beside the line, on the outer side of a pair
                x += 54 if one.y < other.y else -54
        yield f'<path class="edge" d="{path}" marker-end="url(#tip)"/>'
        labels.extend(
            _text(x, row, "label middle", event) for row, event in zip(rows, events, strict=True)
        )
    yield from labels


def _rows(one: Box, other: Box, y: float, count: int) -> list[float]:
    """Return where the labels of a line stand: a level line keeps its own row free."""
    if one.y != other.y:
        return [y + 4 + _LINE * (at - (count - 1) / 2) for at in range(count)]
    above = (count + 1) // 2 if one.x < other.x else 0
    over = [y - 10 - _LINE * (above - 1 - at) for at in range(above)]
    return over + [y + 19 + _LINE * at for at in range(count - above)]


def _loop(box: Box) -> tuple[str, float, float]:
    """Return a loop on the outer edge of a box, and where its label goes."""
    over = 1 if box.kind == "ended" else -1
    x = box.x if box.kind == "hold" else box.x - box.half * 0.5
    y = box.y + over * _HALF_HEIGHT
    path = f"M{x - 18:g} {y}c-6 {over * 40} 42 {over * 40} 36 {over * 3}"
    return path, x, y + (46 if over > 0 else -38)


def _between(one: Box, other: Box, apart: int, along: float) -> tuple[str, float, float]:
    """Return a line from border to border, ``apart`` to its left, and a point ``along`` it."""
    across, down = other.x - one.x, other.y - one.y
    length = (across * across + down * down) ** 0.5
    aside_x, aside_y = down / length * apart, -across / length * apart
    start, end = _border(one, across, down), _border(other, -across, -down)
    x1, y1 = start[0] + aside_x, start[1] + aside_y
    x2, y2 = end[0] + aside_x, end[1] + aside_y
    return f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", x1 + (x2 - x1) * along, y1 + (y2 - y1) * along


def _border(box: Box, across: int, down: int) -> tuple[float, float]:
    """Return where a line from the middle of a box leaves it, with a little air."""
    share = min(
        (box.half + 4) / abs(across) if across else 9e9,
        (_HALF_HEIGHT + 4) / abs(down) if down else 9e9,
    )
    return box.x + across * share, box.y + down * share


def _table() -> Iterator[str]:
    yield _text(_TABLE_LEFT, _TABLE_TOP - 8, "note", "The whole table: where each event may lead.")
    columns = list(_columns())
    for stage, left, _ in columns:
        yield _text(left + 4, _TABLE_TOP + 26, "head", f"at {BOXES[stage].name}")
    for row, event in enumerate(get_args(Event), start=1):
        top = _TABLE_TOP + row * _ROW
        right = WIDTH - _TABLE_LEFT
        yield f'<line class="line" x1="{_TABLE_LEFT}" y1="{top}" x2="{right}" y2="{top}"/>'
        yield _text(_TABLE_LEFT + 4, top + 24, "head", words(event))
        for stage, left, width in columns:
            yield from _cell(left, top, width, RULES[stage, event].to)


def _columns() -> Iterator[tuple[Stage, float, float]]:
    """Yield each stage, where its column begins and how wide it is."""
    parts = [
        max(1, _SHARED_CELL * max(len(RULES[stage, event].to) for event in get_args(Event)))
        for stage in Stage
    ]
    left = float(_TABLE_LEFT + _FIRST_COLUMN)
    for stage, part in zip(Stage, parts, strict=True):
        width = (WIDTH - 2 * _TABLE_LEFT - _FIRST_COLUMN) * part / sum(parts)
        yield stage, left, width
        left += width


def _cell(left: float, top: int, width: float, to: tuple[Stage, ...]) -> Iterator[str]:
    """Draw one cell: a patch in the colour of each stage it leads to, and the names."""
    part = (width - 6) / len(to)
    for at, stage in enumerate(to):
        x = left + at * part
        yield (
            f'<rect class="{BOXES[stage].kind}" x="{x:.1f}" y="{top + 5}" width="{part:.1f}"'
            f' height="{_ROW - 10}"/>'
        )
        yield _text(round(x + part / 2, 1), top + 24, "cell middle", BOXES[stage].name)


if __name__ == "__main__":
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(draw())
    else:
        FILE.write_text(draw(), encoding="utf-8")
