#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""FOLDER/report.csv as a table in Markdown and as a picture.

  report.py FOLDER    writes FOLDER/report.md and FOLDER/report.svg; exit 1 if a goal was missed here and in the
                      run before (FOLDER/earlier/*.csv), or was not measured
"""
import pathlib
import sys

from chart import chart
from figures import Report, number, verdicts


def table(report, judged, earlier):
    yield '| goal | figure | target | median | min .. max | rounds | |'
    yield '|---|---|---|---|---|---|---|'
    for f, verdict in judged:
        yield (f'| {f.goal} | {f.name} | {f.target} | {number(f.median)} | {number(f.low)} .. {number(f.high)} '
               f'| {f.rounds} | {verdict} |')
    yield ''
    yield from (note + '\n' for note in report.notes)
    yield 'Compared with: ' + (', '.join(earlier) or 'no earlier run')


def main(folder):
    folder = pathlib.Path(folder)
    report = Report(folder / 'report.csv')
    paths = sorted(folder.glob('earlier/*.csv'))
    judged = list(verdicts(report, [Report(path) for path in paths]))
    lines = table(report, judged, [path.stem for path in paths])
    (folder / 'report.md').write_text('\n'.join(lines) + '\n', encoding='utf-8')
    (folder / 'report.svg').write_text(chart(report, 'en'), encoding='utf-8')
    for figure, verdict in judged:
        if verdict not in ('', 'met'):
            print(f'# {verdict}: {figure.goal}, {figure.name}: {number(figure.median)} ({figure.target})')
    return 1 if any(verdict in ('missed twice', 'not measured') for _, verdict in judged) else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
