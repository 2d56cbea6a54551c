# SPDX-License-Identifier: Apache-2.0
"""One picture of all goals: how much of what each allows was used. No library: bars and text are all there is."""
import math
from xml.sax.saxutils import escape

from figures import number

# What the goals are about, in English and Vietnamese.
GOALS = {
    'P1': ('RSA-2048 signature', 'chữ ký RSA-2048'),
    'P2': ('P-256 signature', 'chữ ký P-256'),
    'P3': ('more threads', 'nhiều luồng'),
    'P4': ('system calls of a signature', 'lời gọi hệ thống'),
    'P5': ('SmartCA signature, time', 'chữ ký SmartCA, thời gian'),
    'P6': ('SmartCA signature, CPU', 'chữ ký SmartCA, CPU'),
    'P7': ('connections', 'kết nối'),
    'P8': ('1 000 signatures in flight', '1 000 chữ ký đang chờ'),
    'P9': ('memory growth', 'bộ nhớ tăng thêm'),
    'P10': ('delay after confirmation', 'độ trễ sau khi xác nhận'),
    'P11': ('confirmations for 1 000', 'số lần xác nhận cho 1 000'),
    'P12': ('start', 'khởi động'),
    'P13': ('search among 10 000', 'tìm trong 10 000'),
    'P14': ('reading a certificate', 'đọc một chứng thư số'),
    'P15': ('opening a session', 'mở một phiên'),
    'P16': ('small questions', 'câu hỏi nhỏ'),
    'P17': ('USB token through it', 'USB token đi qua'),
    'P18': ('loading the module', 'nạp mô-đun'),
    'P19': ('first SmartCA signature', 'chữ ký SmartCA đầu tiên'),
    'P20': ('memory for 10 000', 'bộ nhớ cho 10 000'),
    'P21': ('login', 'đăng nhập'),
    'P22': ('idle', 'lúc không làm gì'),
    'P23': ('waiting for the disk', 'chờ ghi vào đĩa'),
}
TITLES = ('How much of its limit each goal uses: shorter is better',
          'Mỗi mục tiêu dùng bao nhiêu phần giới hạn của nó: càng ngắn càng tốt')
LIMIT = ('limit', 'giới hạn')
NOTE = ('bar: median of the figure nearest to its limit; line: all rounds',
        'thanh: trung vị của số đo gần giới hạn nhất; vạch: mọi vòng')
MISSING = ('not measured', 'chưa đo')
LANGUAGES = ('en', 'vi')

ROW, TOP, LEFT, SCALE, WIDTH, MOST = 22, 64, 236, 300, 860, 1.3

STYLE = '''
  .paper { fill: #ffffff } .text { fill: #1f2328 } .dim { fill: #59636e } .met { fill: #2f7fd0 }
  .missed { fill: #d1570a } .line { stroke: #1f2328 } .limit { stroke: #59636e; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .text { fill: #e6edf3 } .dim { fill: #9198a1 } .met { fill: #4c9be8 }
    .missed { fill: #f0883e } .line { stroke: #e6edf3 } .limit { stroke: #9198a1 }
  }
  text { font: 13px sans-serif } .title { font-size: 16px; font-weight: bold }'''


def place(share):
    return LEFT + SCALE * min(share, MOST)


def text(x, y, css, words):
    return f'<text x="{x:g}" y="{y:g}" class="{css}">{escape(words)}</text>'


def bar(y, figure):
    """A mark besides the colour says what is missed."""
    css, mark = ('met', '✓') if figure.is_met else ('missed', '✗')
    ends = sorted(place(figure.share(value)) for value in (figure.low, figure.high))
    yield f'<rect x="{LEFT}" y="{y - 12}" width="{max(place(figure.share(figure.median)) - LEFT, 2):g}" height="14" rx="2" class="{css}"/>'
    yield f'<line x1="{ends[0]:g}" x2="{ends[1]:g}" y1="{y - 5}" y2="{y - 5}" class="line"/>'
    yield text(LEFT + SCALE * MOST + 12, y, css, mark)
    wanted = figure.target.replace('<=', '≤').replace('>=', '≥')
    yield text(LEFT + SCALE * MOST + 32, y, 'text', f'{number(figure.median)}  ({wanted})')


def chart(report, language):
    """The SVG of a report, as text."""
    which = LANGUAGES.index(language)
    goals = report.goals()
    bottom = TOP + ROW * len(goals)
    shapes = [f'<rect width="{WIDTH}" height="{bottom + 34}" rx="6" class="paper"/>',
              text(16, 28, 'text title', TITLES[which]), text(place(1) - 18, TOP - 14, 'dim', LIMIT[which])]
    for i, goal in enumerate(goals):
        y = TOP + ROW * i + 14
        figure = report.worst(goal)
        shapes.append(text(16, y, 'dim', goal))
        shapes.append(text(52, y, 'text', GOALS[goal][which]))
        shapes += bar(y, figure) if figure else [text(LEFT, y, 'missed', MISSING[which])]
    shapes.append(f'<line x1="{place(1):g}" x2="{place(1):g}" y1="{TOP - 8}" y2="{bottom}" class="limit"/>')
    shapes.append(text(16, bottom + 20, 'dim', NOTE[which]))
    return '\n'.join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 34}" '
                      f'viewBox="0 0 {WIDTH} {bottom + 34}" role="img">',
                      f'<title>{escape(TITLES[which])}</title>', f'<style>{STYLE}\n</style>', *shapes, '</svg>', ''])
