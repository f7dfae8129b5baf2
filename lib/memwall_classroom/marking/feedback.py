"""Pages for people: a student's feedback, the essays to mark, the key of a paper.

Every text that somebody else wrote is escaped and shown as text; the pages hold no script, ask
for nothing from any network, and say so to the browser.
"""

from __future__ import annotations

import html
from typing import Any

from ..reading.answers import BLANK, Choice, Formula, Written
from .rows import Class, Row
from .sets import Item, Paper
from .tables import printable

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #8886; }
code, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.right { border-left: .4rem solid #009E73; padding-left: .7rem; }
.wrong, .unreadable { border-left: .4rem solid #D55E00; padding-left: .7rem; }
.blank { border-left: .4rem solid #808080; padding-left: .7rem; }
h2 { margin-bottom: .2rem; } .small { opacity: .75; } .wide { overflow-x: auto; }
"""
WIDE = '<div class="wide" tabindex="0">'  # scrolls by itself on a phone, and by keyboard
_STATES = {
    "right": "Right", "wrong": "Not right", "unreadable": "Could not be read", "blank": "No answer",
}  # fmt: skip
_STATUS = {
    "missing": "Nothing was handed in, so there is nothing to mark.",
    "broken": "The file could not be marked",
    "held": "The file was not marked yet, somebody will look at it",
    "excused": "You are excused from this set",
}


_SLIPS = {
    "unit": "The number itself is right",
    "rounding": "It is rounded too coarsely",
    "carried": "It is right for your own earlier answer",
}


def page_of(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head>\n<body>{body}</body></html>\n"
    )


def _text(text: Any, most: int = 2000) -> str:
    """Anybody's text, as text."""
    return html.escape(printable(str(text), most), quote=True)


def _hint(text: str) -> str:
    return _text(text).replace("`", "")


def page(row: Row, reveal: bool = False) -> str:
    """A student's feedback: each answer as it was read, what became of it, and where it went wrong."""
    set = row.paper.set
    most = set.points
    body = [
        f"<h1>{_text(set.title)}</h1>",
        f"<p>Feedback for {_text(row.student.name or row.student.id)} ({_text(row.student.id)}).</p>",
    ]
    if row.status != "marked":
        reason = f": {_text(row.reason)}" if row.status != "missing" else ""
        body.append(f"<p><strong>{_STATUS[row.status]}{reason}</strong></p>")
    else:
        body.append(
            f"<p><strong>{row.score} of {most} points</strong> for the questions marked by machine.</p>"
        )
        if row.late:
            body.append(
                f"<p>It came {row.late} day{'s' if row.late > 1 else ''} late: {row.penalty:.0%} of the total is taken off.</p>"
            )
        body += [_item(row, item, reveal) for item in row.paper.marked]
        body += [_hand_item(row, item) for item in row.paper.by_hand]
        if row.comment:
            body.append(f"<p><strong>Comment:</strong> {_text(row.comment)}</p>")
    return page_of(f"{set.title}: feedback", "\n".join(body))


def _item(row: Row, item: Item, reveal: bool) -> str:
    verdict = row.verdicts.get(item.label, BLANK)
    points = row.points(item)
    lines = [
        f'<section class="{verdict.state}"><h2>{item.label}. {_text(item.question.title)}</h2>',
        f"<details><summary>The question</summary><pre>{html.escape(question_text(item))}</pre></details>",
        f"<p><strong>{_STATES[verdict.state]}</strong>, {points} of {item.question.points} points."
        f" Asked: {_hint(item.asked.asks())}.</p>",
    ]
    if (text := row.answers.get(item.label, "").strip()) and verdict.state != "blank":
        read = f", read as <code>{_text(verdict.read_as, 300)}</code>" if verdict.read_as else ""
        same = verdict.read_as == text
        lines.append(f"<p>You wrote <code>{_text(text, 300)}</code>{'' if same else read}.</p>")
    if verdict.hint:
        lines.append(f"<p>{_hint(verdict.hint)}</p>")
    if item.label in row.decided:
        remark = row.remarks.get(item.label, "")
        lines.append(f"<p>Your teacher has decided: {points:g} points.{f' {_text(remark)}' if remark else ''}</p>")  # fmt: skip
    elif verdict.slip:
        lines.append(f"<p>{_SLIPS[verdict.slip]}, so it gets {points:g} points.</p>")
    if reveal:
        lines.append(_solution(item))
    return "\n".join(lines) + "</section>"


def question_text(item: Item) -> str:
    """What the student was asked, with options or symbols, as plain text."""
    asked = item.asked
    lines = [asked.text.strip().replace("\\$", "$")]
    if isinstance(asked, Choice):
        lines += [f"{'ABCDEF'[i]}: {text}" for i, text in enumerate(asked.options)]
    if isinstance(asked, Formula):
        lines += [f"{n}: {x.meaning} ({x.unit})" for n, x in asked.letters.items()]
    return "\n".join(lines)


def _solution(item: Item) -> str:
    return (
        f"<p>The answer: <code>{_text(item.asked.right_answer())}</code></p>"
        f"<pre>{html.escape(item.asked.solution)}</pre>"
    )


def _hand_item(row: Row, item: Item) -> str:
    head = f"<h2>{item.label}. {_text(item.question.title)}</h2>"
    if not row.essays.get(item.label):
        head += "<p>Nothing was written here.</p>"
    lines = []
    for key, criterion in item.criteria().items():
        points = row.hand.get(key)
        shown = "not marked yet" if points is None else f"{points:g} of {criterion.points}"
        lines.append(f"<tr><td>{_text(criterion.name)}</td><td>{shown}</td></tr>")
    return f"<section>{head}<table>{''.join(lines)}</table></section>"


def essays_page(marked: Class) -> str:
    """Everything a person has to mark, with the rubric; codes for names, so that they do not count."""
    body = [f"<h1>{_text(marked.set.title)}: to mark by hand</h1>",
            "<p>Enter points in hand.csv, in the line of the code, and a comment for the student if you like; run grade again, "
            "and it reads them in.</p>"]  # fmt: skip
    items = marked.rows[0].paper.by_hand if marked.rows else []
    for i, item in enumerate(items):
        rubric = "".join(
            f"<tr><td>{key}</td><td>{_text(c.name)}</td><td>{c.points}</td><td>{_text(c.full)}</td>"
            f"<td>{_text(c.half)}</td><td>{_text(c.none)}</td></tr>"
            for key, c in item.criteria().items()
        )
        body.append(
            f"<h2>{item.label}. {_text(item.question.title)}</h2>{WIDE}<table><tr><th>column</th><th>marked for"
            f"</th><th>points</th><th>all</th><th>half</th><th>none</th></tr>{rubric}</table></div>"
        )
        for row in marked.rows:
            if essay := row.essays.get(item.label):
                own = row.paper.by_hand[i].asked
                shown = "\n".join(printable(line, 5000) for line in essay.splitlines()[:400])
                body.append(
                    f"<section><h3>{_text(row.paper.code)}</h3>"
                    f"<details><summary>This student's question, and what a good answer contains</summary>"
                    f"<pre>{html.escape(own.text)}\n\n{html.escape(own.model)}</pre>"
                    "<p>Figures, if any, are in the student's notebook: hand.csv says which.</p></details>"
                    f"<pre>{html.escape(shown)}</pre></section>"
                )
    return page_of(f"{marked.set.title}: to mark", "\n".join(body))


def decisions_page(marked: Class) -> str:
    """Every answer that could not be read, or is wrong in one thing only, beside question and key."""
    body = [
        f"<h1>{_text(marked.set.title)}: to decide</h1>",
        "<p>The reader was not sure of these. Enter points in decide.csv, in the column points, and run grade again: it obeys, "
        "and keeps them. Left empty, the rule on the paper holds.</p>",
    ]
    for row in marked.rows:
        for item in row.paper.marked:
            verdict = row.verdicts.get(item.label, BLANK)
            if verdict.state != "unreadable" and not verdict.slip:
                continue
            read = (
                f", read as <code>{_text(verdict.read_as, 300)}</code>" if verdict.read_as else ""
            )
            body.append(
                f'<section class="{verdict.state}"><h2>{_text(row.student.id)}, {item.label}. {_text(item.question.title)}</h2>'
                f"<p><code>{_text(row.answers.get(item.label, ''), 300)}</code>{read}: {row.points(item):g} of "
                f"{item.question.points} points{', decided' if item.label in row.decided else ''}. {_hint(verdict.hint)}</p>"
                f"<p>The key: <code>{_text(item.asked.right_answer())}</code></p>"
                f"<details><summary>The question</summary><pre>{html.escape(question_text(item))}</pre></details></section>"
            )
    if len(body) == 2:
        body.append("<p>Nothing waits.</p>")
    return page_of(f"{marked.set.title}: to decide", "\n".join(body))


def key_text(paper: Paper) -> str:
    """The worked solutions of a paper, for the teacher, as Markdown."""
    lines = [f"# {paper.set.title}: worked solutions of {paper.student}\n"]
    for item in paper.items:
        lines.append(f"## {item.label}. {item.question.title} ({item.question.points} points)\n")
        lines.append(item.asked.text.strip() + "\n")
        if isinstance(item.asked, Written):
            lines.append(f"**A good answer contains:** {item.asked.model.strip()}\n")
            continue
        if isinstance(item.asked, Choice):
            lines += [f"- {'ABCDEF'[i]}: {text}" for i, text in enumerate(item.asked.options)] + [
                ""
            ]
        if isinstance(item.asked, Formula):
            lines += [f"- `{n}`: {x.meaning} ({x.unit})" for n, x in item.asked.letters.items()] + [
                ""
            ]
        lines.append(f"**Answer: `{item.asked.right_answer()}`**\n")
        lines.append(item.asked.solution.strip() + "\n")
        wrong = item.asked.wrong_answers()
        lines += ["Mistakes that are recognised:\n"] if wrong else []
        lines += [f"- `{text}`: {hint}" for hint, text in wrong.items()] + [""]
    return "\n".join(lines)
