#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a report: verdicts, table, picture, READMEs."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

import chart
import figures
import readme

HERE = pathlib.Path(__file__).resolve().parent
HEAD = '# openssl: 3.0.22\n# goals: P1 P4\ngoal,name,target,median,min,max,rounds\n'
GOOD = HEAD + 'P1,speed,>= 0.97,0.98,0.96,1.02,9\nP1,time,us,5,4,6,9\nP4,calls,<= 0,0,0,0,3\n'
BAD = GOOD.replace('0.98', '0.95')


def wanted(target, median):
    return figures.Figure('P1', 'name', target, median, median, median, 9)


class Reports(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def report(self, text, name='report.csv'):
        path = pathlib.Path(self.folder.name, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding='utf-8')
        return figures.Report(path)

    def verdicts(self, text, *earlier):
        old = [self.report(each, f'{i}.csv') for i, each in enumerate(earlier)]
        return [(figure.name, verdict) for figure, verdict in figures.verdicts(self.report(text), old)]

    def test_a_goal_is_met_up_to_its_limit_and_missed_beyond(self):
        rows = (('<= 1.02', 1.02, True), ('<= 1.02', 1.03, False), ('>= 0.97', 0.97, True), ('>= 0.97', 0.96, False),
                ('<= 0', 0, True), ('<= 0', 0.001, False), ('<= 0', -4, True), ('<= 64', -4, True), ('>= 0.97', 0, False),
                ('<= 1', float('nan'), False), ('>= 1', float('nan'), False))
        for target, median, is_met in rows:
            with self.subTest(target=target, median=median):
                self.assertIs(wanted(target, median).is_met, is_met)

    def test_a_figure_without_a_limit_has_no_verdict(self):
        self.assertEqual(self.verdicts(GOOD), [('speed', 'met'), ('time', ''), ('calls', 'met')])

    def test_a_goal_is_missed_for_good_only_by_two_runs_in_a_row(self):
        other = HEAD.replace('P1 P4', 'P4') + 'P4,calls,<= 0,0,0,0,3\n'
        rows = (((), 'missed'), ((GOOD,), 'missed'), ((BAD,), 'missed twice'), ((BAD, GOOD), 'missed'),
                ((BAD, other), 'missed twice'))
        for earlier, verdict in rows:
            with self.subTest(earlier=earlier):
                self.assertEqual(self.verdicts(BAD, *earlier)[0], ('speed', verdict))

    def test_a_goal_without_a_figure_is_not_measured(self):
        self.assertEqual(self.verdicts(GOOD.replace('P1 P4', 'P1 P4 P9'))[-1], ('no figure', 'not measured'))

    def test_two_figures_of_one_name_are_a_mistake(self):
        with self.assertRaises(ValueError):
            self.report(GOOD + 'P1,speed,us,1,1,1,9\n')

    def test_numbers_have_three_digits_and_no_exponent(self):
        rows = ((0, '0'), (1, '1'), (0.98632, '0.986'), (0.0000612, '0.0000612'), (1234.5, '1234'), (-0.5, '-0.5'), (100, '100'))
        self.assertEqual([figures.number(value) for value, _ in rows], [text for _, text in rows])

    def test_the_program_fails_where_a_goal_was_missed_twice(self):
        for earlier, status in ((GOOD, 0), (BAD, 1)):
            self.report(BAD)
            self.report(earlier, 'earlier/1.csv')
            done = subprocess.run([HERE / 'report.py', self.folder.name], stdout=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, status)
            table = pathlib.Path(self.folder.name, 'report.md').read_text(encoding='utf-8')
            self.assertIn(f"| P1 | speed | >= 0.97 | 0.95 | 0.96 .. 1.02 | 9 | missed{' twice' if status else ''} |\n", table)

    def test_the_picture_has_a_row_for_each_goal_and_marks_the_missed_one(self):
        for language in chart.LANGUAGES:
            picture = xml.fromstring(chart.chart(self.report(BAD), language))
            texts = [each.text for each in picture.iter('{http://www.w3.org/2000/svg}text')]
            self.assertEqual([text for text in texts if text in ('P1', '✗', 'P4', '✓')], ['P1', '✗', 'P4', '✓'])

    def test_every_goal_has_a_name_in_both_languages(self):
        self.assertEqual(list(chart.GOALS), [f'P{i}' for i in range(1, 24)])
        for names in chart.GOALS.values():
            self.assertEqual(len(names), len(chart.LANGUAGES))
            for name in names:
                self.assertIn(len(name), range(1, 28), f'{name} is longer than its column')

    def test_words_are_filled_with_figures_of_the_report(self):
        self.assertEqual(readme.fill('{P1 speed ..} of {P1 time}, OpenSSL {openssl}', self.report(GOOD)),
                         '0.98 [0.96 .. 1.02] of 5, OpenSSL 3.0.22')
        with self.assertRaises(KeyError):
            readme.fill('{P1 sped}', self.report(GOOD))

    def test_figures_of_a_trial_do_not_get_into_the_readmes(self):
        with self.assertRaises(SystemExit):
            list(readme.wanted(self.report('# rounds: 1\n' + GOOD)))

    def test_both_languages_show_the_same_figures(self):
        english, other = ([re.findall(r'\{[^{}]+\}', line) for line in words.read_text(encoding='utf-8').splitlines()
                           if line.startswith('|')] for _, words, _, _ in readme.PLACES)
        self.assertEqual(english, other)

    @unittest.skipUnless(readme.REPORT.exists(), 'no report was kept')
    def test_the_readmes_are_what_the_kept_report_gives(self):
        self.assertEqual(subprocess.run([HERE / 'readme.py', '--check'], check=False).returncode, 0)


if __name__ == '__main__':
    sys.exit(unittest.main())
