# SPDX-License-Identifier: Apache-2.0
"""What a report of the benchmarks says: its figures, what was wanted of them, whether they are that good."""
import dataclasses
import math
import pathlib


@dataclasses.dataclass(frozen=True)
class Figure:
    """A line of the report. Its target is "<= N", ">= N", or a unit: then nothing is wanted of it."""
    goal: str
    name: str
    target: str
    median: float
    low: float
    high: float
    rounds: int

    @property
    def is_wanted(self):
        return self.target[:2] in ('<=', '>=')

    def share(self, value):
        """How much of what is allowed the value takes: 1 is the limit itself, less is better."""
        limit = float(self.target[2:])
        part, whole = (value, limit) if self.target.startswith('<=') else (limit, value)
        if math.isnan(value) or part > 0 >= whole:
            return math.inf
        return max(part, 0) / whole if whole > 0 else 0.0

    @property
    def is_met(self):
        return self.share(self.median) <= 1

    @property
    def key(self):
        return self.goal, self.name


class Report:
    """Figures in their order, and remarks: how, where and with what they were measured."""

    def __init__(self, path):
        self.remarks, self.figures, self.notes = {}, [], []
        for line in pathlib.Path(path).read_text(encoding='utf-8').splitlines():
            if line.startswith('# ') and not line.startswith('# rounds of '):
                name, _, text = line[2:].partition(': ')
                if text and ' ' not in name:
                    self.remarks[name] = text
                self.notes.append(line[2:])
            elif line and line[0] not in '#' and not line.startswith('goal,'):
                goal, name, target, *values, rounds = line.split(',')
                figure = Figure(goal, name, target, *map(float, values), int(rounds))
                if figure.key in {f.key for f in self.figures}:
                    raise ValueError(f'{path}: two figures are called {goal}, {name}')
                self.figures.append(figure)

    def goals(self):
        """Those that were asked for, whether there is a figure or not."""
        return self.remarks.get('goals', '').split() or sorted(
            {f.goal for f in self.figures}, key=lambda goal: int(goal[1:]))

    def wanted(self, goal):
        return [f for f in self.figures if f.goal == goal and f.is_wanted]

    def worst(self, goal):
        """The figure that is nearest to its limit, or furthest beyond."""
        return max(self.wanted(goal), key=lambda f: f.share(f.median), default=None)


def verdicts(report, earlier):
    """Of each figure and each goal without one. A goal is missed for good if two runs, one after the other, missed it."""
    before = {f.key: f.is_met for old in earlier for f in old.figures if f.is_wanted}
    for figure in report.figures:
        if figure.is_wanted:
            met = 'met' if figure.is_met else 'missed' if before.get(figure.key, True) else 'missed twice'
            yield figure, met
        else:
            yield figure, ''
    for goal in report.goals():
        if not report.wanted(goal):
            yield Figure(goal, 'no figure', '', math.nan, math.nan, math.nan, 0), 'not measured'


def number(value):
    """Three digits that count, and no exponent."""
    if value == 0 or not math.isfinite(value):
        return f'{value:g}'
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f'{value:.{places}f}'
    return text.rstrip('0').rstrip('.') if '.' in text else text
