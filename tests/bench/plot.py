"""A bar chart of ratios as SVG.

In: bars: a title, the ratios of its pairs and its aim. Out: the text of an SVG file.
Invariant: a bar ends at the median; the line over it spans the pairs; the axis starts at 0. What meets its aim has another
colour than what misses it, and the aim is a mark of its own, so that the picture can be read without colours.
"""

import dataclasses
import math
import statistics
from xml.sax.saxutils import escape

LABEL_WIDTH, PLOT_WIDTH, VALUE_WIDTH = 300, 520, 70
BAR_HEIGHT, ROW_HEIGHT, HEAD_HEIGHT, FOOT_HEIGHT = 16, 30, 64, 74
WIDTH = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH
MET, MISSED, INK, GRID = "#2b7a78", "#c0504d", "#222222", "#d8d8d8"


@dataclasses.dataclass(frozen=True)
class Bar:
    title: str
    ratios: list
    aim: float


def tick_step(most):
    """1, 2 or 5 times a power of ten, for at most ten ticks."""
    magnitude = 10.0 ** math.floor(math.log10(most / 10))
    return next(step * magnitude for step in (1, 2, 5, 10) if most / (step * magnitude) <= 10)


def text(x, y, content, size=13, anchor="start", **attributes):
    more = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{more}>{escape(content)}</text>'


def line(x1, y1, x2, y2, color, width=1, dash=""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{color}" stroke-width="{width}"{dashes}/>'


def rectangle(x, y, width, height, color):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'


class Chart:
    def __init__(self, bars):
        self.bars = bars
        most = max(max(*bar.ratios, bar.aim) for bar in bars)
        self.step = tick_step(most)
        self.tick_count = math.ceil(most / self.step)
        self.bottom = HEAD_HEIGHT + ROW_HEIGHT * len(bars)

    def x(self, ratio):
        return LABEL_WIDTH + PLOT_WIDTH * ratio / (self.step * self.tick_count)

    def grid(self):
        parts = []
        for i in range(self.tick_count + 1):
            at = self.x(i * self.step)
            parts.append(line(at, HEAD_HEIGHT, at, self.bottom, GRID))
            parts.append(text(at, self.bottom + 18, f"{i * self.step:g}", anchor="middle"))
        return [*parts, line(self.x(1), HEAD_HEIGHT - 4, self.x(1), self.bottom, INK, 1, "4 3")]

    def bar(self, bar, index):
        middle = HEAD_HEIGHT + ROW_HEIGHT * (index + 0.5)
        median, least, most = statistics.median(bar.ratios), min(bar.ratios), max(bar.ratios)
        color = MET if median >= bar.aim else MISSED
        top, foot = middle - BAR_HEIGHT / 2, middle + BAR_HEIGHT / 2
        return [
            text(LABEL_WIDTH - 10, middle + 4.5, bar.title, anchor="end"),
            rectangle(self.x(0), top, self.x(median) - self.x(0), BAR_HEIGHT, color),
            line(self.x(least), middle, self.x(most), middle, INK, 1.5),
            *(line(self.x(end), middle - 4, self.x(end), middle + 4, INK, 1.5) for end in (least, most)),
            line(self.x(bar.aim), top - 4, self.x(bar.aim), foot + 4, INK, 3),
            text(max(self.x(most), self.x(bar.aim)) + 8, middle + 4.5, f"{median:.2f}", font_weight="bold"),
        ]

    def legend(self):
        y = self.bottom + 52
        return [
            rectangle(LABEL_WIDTH, y - 11, 14, 12, MET),
            text(LABEL_WIDTH + 20, y, "aim met"),
            rectangle(LABEL_WIDTH + 96, y - 11, 14, 12, MISSED),
            text(LABEL_WIDTH + 116, y, "missed"),
            line(LABEL_WIDTH + 190, y - 13, LABEL_WIDTH + 190, y + 3, INK, 3),
            text(LABEL_WIDTH + 198, y, "aim"),
            line(LABEL_WIDTH + 246, y - 5, LABEL_WIDTH + 274, y - 5, INK, 1.5),
            text(LABEL_WIDTH + 280, y, "all pairs"),
            line(LABEL_WIDTH + 356, y - 5, LABEL_WIDTH + 384, y - 5, INK, 1, "4 3"),
            text(LABEL_WIDTH + 390, y, "as fast as ncnn"),
        ]

    def svg(self, title, subtitle):
        size = f'width="{WIDTH}" height="{self.bottom + FOOT_HEIGHT}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" fill="{INK}">',
            rectangle(0, 0, WIDTH, self.bottom + FOOT_HEIGHT, "white"),
            text(10, 24, title, size=16, font_weight="bold"),
            text(10, 44, subtitle, size=12),
            *self.grid(),
        ]
        for index, bar in enumerate(self.bars):
            parts += self.bar(bar, index)
        return "\n".join([*parts, *self.legend(), "</svg>"]) + "\n"


def chart(bars, title, subtitle):
    return Chart(bars).svg(title, subtitle)
