#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Figures of the two READMEs, from a report: nobody types them.

  readme.py REPORT.csv    keeps the report as tests/bench/report.csv, draws the pictures beside it, and writes what is
                          between <!-- bench --> and <!-- /bench --> in README.md and conf/README.vi.md
  readme.py --check       are READMEs and pictures what tests/bench/report.csv gives? exit 1 if not

The words are in readme.en.md and readme.vi.md: {P1 NAME} is the median of that figure, {P1 NAME ..} has the smallest
and the largest round behind it, {openssl} is a remark of the report.
"""
import pathlib
import re
import shutil
import sys

from chart import chart
from figures import Report, number

HERE = pathlib.Path(__file__).resolve().parent
REPORT = HERE / 'report.csv'
ROUNDS_MIN = 7
# README, its words, its picture and the language of that.
PLACES = ((HERE.parents[1] / 'README.md', HERE / 'readme.en.md', HERE / 'goals.svg', 'en'),
          (HERE.parents[1] / 'conf/README.vi.md', HERE / 'readme.vi.md', HERE / 'goals.vi.svg', 'vi'))
BLOCK = re.compile(r'(<!-- bench -->\n).*?(<!-- /bench -->\n)', re.DOTALL)


def fill(words, report):
    """The words with their figures; KeyError names what the report does not have."""
    figures = {f'{f.goal} {f.name}': f for f in report.figures}

    def value(match):
        name, has_range = match[1].removesuffix(' ..'), match[1].endswith(' ..')
        if name in report.remarks:
            return report.remarks[name]
        figure = figures[name]
        spread = f' [{number(figure.low)} .. {number(figure.high)}]' if has_range else ''
        return number(figure.median) + spread

    return re.sub(r'\{([^{}]+)\}', value, words)


def wanted(report):
    """Each file, and what is to be in it. A trial's figures are nobody's business."""
    if int(report.remarks['rounds']) < ROUNDS_MIN:
        sys.exit(f'a figure that counts has {ROUNDS_MIN} rounds or more')
    for readme, words, picture, language in PLACES:
        block = fill(words.read_text(encoding='utf-8'), report)
        text, count = BLOCK.subn(lambda match, block=block: match[1] + block + match[2],
                                 readme.read_text(encoding='utf-8'))
        if count != 1:
            sys.exit(f'{readme}: <!-- bench --> and <!-- /bench --> have to be there once')
        yield readme, text
        yield picture, chart(report, language)


def main(argument):
    is_check = argument == '--check'
    report = REPORT if is_check else pathlib.Path(argument).resolve()
    try:
        differs = [(path, text) for path, text in wanted(Report(report))
                   if not path.exists() or path.read_text(encoding='utf-8') != text]
    except KeyError as missing:
        sys.exit(f'{report} has no {missing}: is it of a complete run?')
    if report != REPORT and not is_check:
        shutil.copyfile(report, REPORT)
    for path, text in differs:
        print(f'{path}: ' + ('is not what tests/bench/report.csv gives' if is_check else 'written'))
        if not is_check:
            path.write_text(text, encoding='utf-8')
    return 1 if is_check and differs else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
