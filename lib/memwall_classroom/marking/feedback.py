"""Pages for people: a student's feedback, the essays to mark, the key of a paper.

Every text that somebody else wrote is escaped and shown as text; the pages hold no script, ask
for nothing from any network, and say so to the browser.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from ..reading.answers import BLANK, Choice, Formula, Written
from .sets import Item, Paper
from .submissions import printable

if TYPE_CHECKING:
    from .grading import Class, Row

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
}


def _page(title: str, body: str) -> str:
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
        body += [_item(row, item, reveal) for item in row.paper.marked]
        body += [_hand_item(row, item) for item in row.paper.by_hand]
        if row.comment:
            body.append(f"<p><strong>Comment:</strong> {_text(row.comment)}</p>")
    return _page(f"{set.title}: feedback", "\n".join(body))


def _item(row: Row, item: Item, reveal: bool) -> str:
    verdict = row.verdicts.get(item.label, BLANK)
    points = row.points(item)
    lines = [
        f'<section class="{verdict.state}"><h2>{item.label}. {_text(item.question.title)}</h2>',
        f"<p><strong>{_STATES[verdict.state]}</strong>, {points} of {item.question.points} points."
        f" Asked: {_hint(item.asked.asks())}.</p>",
    ]
    if (text := row.answers.get(item.label, "").strip()) and verdict.state != "blank":
        read = f", read as <code>{_text(verdict.read_as, 300)}</code>" if verdict.read_as else ""
        same = verdict.read_as == text
        lines.append(f"<p>You wrote <code>{_text(text, 300)}</code>{'' if same else read}.</p>")
    if verdict.hint:
        lines.append(f"<p>{_hint(verdict.hint)}</p>")
    if reveal:
        lines.append(_solution(item))
    return "\n".join(lines) + "</section>"


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
    """Everything a person has to mark, with the rubric; names left out so that they do not count."""
    body = [f"<h1>{_text(marked.set.title)}: to mark by hand</h1>",
            "<p>Enter points in hand.csv, and a comment for the student if you like; run grade again, and it reads "
            "them in.</p>"]  # fmt: skip
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
                    f"<section><h3>{_text(row.student.id)}</h3>"
                    f"<details><summary>This student's question, and what a good answer contains</summary>"
                    f"<pre>{html.escape(own.text)}\n\n{html.escape(own.model)}</pre>"
                    f"<p>Figures, if any, are in the notebook {_text(row.file)}.</p></details>"
                    f"<pre>{html.escape(shown)}</pre></section>"
                )
    return _page(f"{marked.set.title}: to mark", "\n".join(body))


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
