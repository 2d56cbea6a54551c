#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are all texts that people read translated, as they stand in the sources today?

  messages.py PO            names each message that is missing, obsolete, fuzzy or spoiled
  messages.py --unmarked    names each text in the sources that gettext does not see
  messages.py --update PO   brings PO up to the sources; what is new has no translation yet

Run from the top of the tree. Exit 1 if anything is named.
"""
import ast
import pathlib
import re
import subprocess
import sys

KEYWORDS = ['_', 'N_', 'wording', 'ngettext:1,2', 'call_fail:3', 'problems_add:4']
STRING = r'"(?:[^"\\\n]|\\.)*"'
STRINGS = re.compile(rf'{STRING}(?:\s*(?:{STRING}|[A-Z][A-Z_0-9]+(?=\s*"))|(?<=")\s*[A-Z][A-Z_]+(?=\s*[,);]))*')
MARKED = re.compile(r'(?:\b(?:_|N_|wording)\(|\bngettext\((?:[^;]*,)?)\s*$')

# What is typed, not read: it has to be in the translation as it is.
VERBS = re.findall(r'^    \{"([a-z -]+)", ', pathlib.Path('remote/cli/verbs.c').read_text(encoding='utf-8'), re.M)
KEPT = [r'--[a-z][a-z-]*', r'\[(?!section)[a-z]+\]', r'\bchmod [-+0-9a-z]+',
        r'\b(?:file|env|vault|base32|base64|hex|raw|otpauth):(?! )', r'\b[A-Z][A-Z0-9]*_[A-Z0-9_]+', r'https?://', r'\{\{',
        r'\b[a-z]+_[a-z_]+\b', r'\b(?:FILE|NAME|PATH|LABEL|VERB|YYYY-MM-DD)\b',
        r'\bsmartca (?:' + '|'.join(sorted(VERBS, key=len, reverse=True)) + r')\b']

# Two words and more that nobody reads as a sentence: what is typed, and what is written into files.
NO_TEXT = re.compile('|'.join(VERBS) + r'|(?:' + '|'.join(VERBS) + r') .*|smartca [a-z -]+(?:%[.*s]+)?|chmod .*|'
                     r'; Written by smartca account add; smartca account remove | removes it\.')


def sources():
    return sorted(str(p) for p in pathlib.Path('remote').rglob('*.[ch]'))


def template():
    command = ['xgettext', '--from-code=UTF-8', '--language=C', '--keyword', '--sort-by-file', '-o', '-']
    command += [f'--keyword={k}' for k in KEYWORDS]
    return subprocess.run(command + sources(), check=True, capture_output=True, text=True).stdout


def unquote(text):
    return ''.join(ast.literal_eval(s) for s in re.findall(STRING, text))


def entries(text):
    """msgid -> (texts of msgstr, is fuzzy, is obsolete); without the head"""
    found = {}
    for block in re.split(r'\n\s*\n', text):
        is_obsolete = bool(re.search(r'^#~ ', block, re.M))
        plain = re.sub(r'^#~ ?', '', block, flags=re.M)
        parts = re.split(r'^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) ', plain, flags=re.M)
        values = {parts[i]: unquote(parts[i + 1]) for i in range(1, len(parts) - 1, 2)}
        if values.get('msgid'):
            strings = [v for k, v in values.items() if k.startswith('msgstr')]
            found[values['msgid']] = (strings, bool(re.search(r'^#,.*fuzzy', block, re.M)), is_obsolete)
    return found


def conversions(text):
    """As msgfmt does for entries marked c-format; also those that xgettext did not mark. By place in the call."""
    found = re.findall(r'%(\d+\$)?[-+ #0]*(\*|\d+)?(\.\*|\.\d+)?(?:hh|h|ll|l|z|j|t)?([diouxXcsp%])', text.replace('%%', ''))
    in_order = [(place, precision, letter) for place, _, precision, letter in found]
    return sorted(in_order) if any(place for place, _, _ in in_order) else in_order


def edges(text):
    return text[:len(text) - len(text.lstrip())], text[len(text.rstrip()):]


def spoiled(msgid, translation):
    if not translation.strip():
        return 'has no translation'
    if conversions(msgid) != conversions(translation) and '$' not in translation:
        return 'has other conversions'
    if edges(msgid) != edges(translation):
        return 'begins or ends with other white space'
    if translation.count('\n') != msgid.count('\n'):
        return 'has other lines'
    for pattern in KEPT:
        for kept in re.findall(pattern, msgid):
            if kept not in translation and msgid.strip() != kept:
                return f'lacks {kept}'
    return None


def check(po):
    text = pathlib.Path(po).read_text(encoding='utf-8')
    known, wanted = entries(text), entries(template())
    problems = [f'is missing: "{m}"' for m in wanted if m not in known or known[m][2]]
    for msgid, (strings, is_fuzzy, is_obsolete) in known.items():
        if is_obsolete or msgid not in wanted:
            problems.append(f'is obsolete: "{msgid}"')
        elif is_fuzzy:
            problems.append(f'is fuzzy: "{msgid}"')
        else:
            problems += [f'{why}: "{msgid}"' for why in (spoiled(msgid, s) for s in strings) if why]
    done = subprocess.run(['msgfmt', '--check-format', '-o', '/dev/null', po], capture_output=True, text=True)
    return problems + (done.stderr.splitlines() if done.returncode else [])


def without_comments(code):
    return re.sub(rf'({STRING})|/\*.*?\*/', lambda m: m.group(1) or ' ', code, flags=re.S)


def unmarked():
    """Literals of two words and more in the tool, and reasons (why = "...") below it."""
    problems = []
    for name in sources():
        code = without_comments(pathlib.Path(name).read_text(encoding='utf-8'))
        code = re.sub(r'^\s*(?:#include|_Static_assert).*$', '', code.replace('\\\n', ' '), flags=re.M)
        for found in STRINGS.finditer(code):
            before, text = re.sub(STRING, '""', code[:found.start()][-3000:]), unquote(found.group())
            is_reason = re.search(r'(?:\bwhy|\breason)\s*=\s*$', before)
            in_call = re.search(r'\b(call_fail|problems_add|log_line|ngettext)\([^;]*$', before)
            if MARKED.search(before) or (in_call and not is_reason):
                continue
            is_text = re.search(r'[A-Za-z]{2,}[a-z,:]* [a-z]{2,}', text) and not NO_TEXT.fullmatch(text)
            if is_text and (is_reason or name.startswith('remote/cli/')):
                problems.append(f'{name}: "{text}"')
    return problems


def update(po):
    pot = pathlib.Path(po + '.pot')
    pot.write_text(template(), encoding='utf-8')
    subprocess.run(['msgmerge', '--quiet', '--no-fuzzy-matching', '--no-location', '--width=100', '-o', po, po, str(pot)],
                   check=True)
    pot.unlink()
    text = subprocess.run(['msgattrib', '--no-obsolete', '--no-location', '--width=100', po], check=True,
                          capture_output=True, text=True).stdout
    text = re.sub(r'^"(?:POT-Creation-Date|Report-Msgid-Bugs-To):.*\n', '', text, flags=re.M)
    pathlib.Path(po).write_text(text, encoding='utf-8')
    return [p for p in check(po) if p.startswith('has no translation')]


def main(arguments):
    if arguments[:1] == ['--unmarked']:
        problems = unmarked()
    elif arguments[:1] == ['--update']:
        problems = update(arguments[1])
    else:
        problems = check(arguments[0])
    for problem in problems:
        print(problem.replace('\n', '\\n'))
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
