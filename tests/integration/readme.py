#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do two texts say the same things to type, section by section? What is not language has to agree.

  readme.py ENGLISH OTHER    names the section and what differs; exit 1 if anything does
"""
import collections
import pathlib
import re
import sys

# Figures and codes of a table; words beside them are language.
TOKEN = re.compile(r'CK[A-Z]*_[A-Z0-9_]+|\d[\d.]*')


class Section:
    """A heading, with what is below it up to the next one."""

    def __init__(self, heading):
        self.heading, self.level = heading, len(heading) - len(heading.lstrip('#'))
        self.blocks, self.text, self.items, self.rows = [], [], 0, []

    def spans(self):
        """Every `span`, however often and in whatever order. A line may end in one."""
        joined = ' '.join(line.strip() for line in self.text)
        return collections.Counter(re.findall(r'`([^`]+)`', joined))


def without_comments(language, line):
    """Comments are language, too: "# ..." after blanks, "; ..." in a configuration."""
    mark = {'sh': '#', 'ini': ';'}.get(language)
    return re.sub(rf'(?:^|\s+){mark}\s.*$', '', line).rstrip() if mark else ''


def sections(path):
    found, block = [], None
    for line in pathlib.Path(path).read_text(encoding='utf-8').splitlines():
        fence = re.match(r'```(\w*)$', line)
        if fence and block is None:
            block = [fence.group(1)]
        elif fence:
            found[-1].blocks.append(block)
            block = None
        elif block is not None:
            block.append(without_comments(block[0], line))
        elif re.match('#+ ', line):
            found.append(Section(line))
        elif found:
            found[-1].text.append(line)
            found[-1].items += line.startswith('- ')
            if line.startswith('|'):
                found[-1].rows.append(TOKEN.findall(line))
    return found


def differences(one, two):
    """Of two sections in the same place."""
    if one.level != two.level:
        yield 'is a heading of another level'
    if one.blocks != two.blocks:
        lines = [[line for block in s.blocks for line in block] for s in (one, two)]
        differs = [pair for pair in zip(*lines) if pair[0] != pair[1]]
        yield f'has other commands: {differs[0][1]!r}, not {differs[0][0]!r}' if differs else 'has more or fewer commands'
    if one.items != two.items:
        yield f'has {two.items} items, not {one.items}'
    if one.rows != two.rows:
        yield 'has a table with other rows, codes or figures: ' + str(
            next((pair for pair in zip(one.rows, two.rows) if pair[0] != pair[1]), (len(one.rows), len(two.rows))))
    missing, added = one.spans() - two.spans(), two.spans() - one.spans()
    for text in missing:
        yield f'lacks `{text}`'
    for text in added:
        yield f'has `{text}` in addition'


def likeness(one, two):
    """Of two sections: a heading of the same level, and as much of the rest as agrees."""
    if one.level != two.level:
        return 0
    mine, yours = ({*s.spans(), *(line for block in s.blocks for line in block)} for s in (one, two))
    return 1 + 4 * len(mine & yours) / max(1, len(mine | yours))


def aligned(one, two):
    """Pairs of sections in the order of both; None where one has no partner."""
    best = {(len(one), len(two)): (0, [])}
    for i in range(len(one), -1, -1):
        for j in range(len(two), -1, -1):
            ways = []
            if i < len(one) and j < len(two):
                score, rest = best[i + 1, j + 1]
                ways.append((score + likeness(one[i], two[j]), [(one[i], two[j]), rest]))
            if i < len(one):
                ways.append((best[i + 1, j][0], [(one[i], None), best[i + 1, j][1]]))
            if j < len(two):
                ways.append((best[i, j + 1][0], [(None, two[j]), best[i, j + 1][1]]))
            if ways:
                best[i, j] = max(ways, key=lambda way: way[0])
    rest = best[0, 0][1]
    while rest:
        pair, rest = rest
        yield pair


def main(english, other):
    problems = []
    for one, two in aligned(sections(english), sections(other)):
        if not two:
            problems.append(f'"{one.heading}" is missing')
        elif not one:
            problems.append(f'"{two.heading}" is no section of {english}')
        else:
            problems += [f'"{two.heading}" ({one.heading}) {why}' for why in differences(one, two)]
    for problem in problems:
        print(f'{other}: {problem}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
