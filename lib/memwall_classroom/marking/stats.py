"""How a class did, question by question: a table, a figure and the hints that were given most."""

from __future__ import annotations

import html
from collections import Counter
from pathlib import Path
from typing import Any

from memwall.views.figures import COLORS, Figure, canvas, note, show

from .feedback import WIDE, page_of

STATES = ("right", "wrong", "unreadable", "blank")
_LOOK = {  # colour and pattern: either alone tells the states apart
    "right": (COLORS["kv"], ""), "wrong": (COLORS["compute"], "//"),
    "unreadable": (COLORS["money"], ".."), "blank": (COLORS["muted"], ""),
}  # fmt: skip


def summary(results: dict[str, Any]) -> list[dict[str, Any]]:
    """One line for each question: how many students are in which state, and the commonest hints."""
    marked = [s for s in results["students"] if s["status"] == "marked"]
    lines = []
    for label, question in results["questions"].items():
        states = Counter(s["states"].get(label, "blank") for s in marked)
        hints = Counter(s["hints"][label] for s in marked if label in s["hints"])
        lines.append({
            "label": label, **question, "students": len(marked),
            **{state: states[state] for state in STATES}, "hints": hints.most_common(3),
        })  # fmt: skip
    return lines


def heading(results: dict[str, Any]) -> str:
    """The class in one sentence."""
    lines = summary(results)
    students = lines[0]["students"] if lines else 0
    if not students:
        return f"{results['title']}: no paper was marked"
    hardest = min(lines, key=lambda line: line["right"])
    if hardest["right"] == students:
        return f"All {students} answered everything right"
    easiest = max(lines, key=lambda line: line["right"])
    if easiest["right"] == hardest["right"]:
        return f"Each question was answered right by {easiest['right']} of {students}"
    return (
        f"{easiest['right']} of {students} were right on {easiest['label']}, "
        f"{hardest['right']} on {hardest['label']}"
    )


def figure(results: dict[str, Any]) -> Figure:
    """Bars by question: right, wrong, unreadable, blank."""
    lines = summary(results)
    fig, ax = canvas(
        heading(results), x=("Students", ""), log="", size=(6.4, 1.2 + 0.45 * max(len(lines), 2))
    )
    named: set[str] = set()  # each state is named where it first has room
    for y, line in enumerate(lines):
        left = 0
        for state in STATES:
            color, hatch = _LOOK[state]
            count = line[state]
            ax.barh(y, count, left=left, color=color, hatch=hatch, edgecolor="white", height=0.7)
            if count >= max(line["students"] / 12, 1):
                wide = count >= line["students"] / 4  # a word needs room
                words = f"{count} {state}" if wide and state not in named else str(count)
                named |= {state} if wide else set()
                # nearly black: black would follow a dark page, and the box stays white
                note(ax, left + count / 2, y, words, ha="center", fontsize=9, color="#111111",
                     bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"})  # fmt: skip
            left += count
    ax.set_yticks(range(len(lines)), [f"{line['label']}  {line['title']}" for line in lines])
    ax.invert_yaxis()
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(axis="y", visible=False)
    told = "; ".join(
        f"{line['label']}: {line['right']} right of {line['students']}" for line in lines
    )
    return show(fig, f"{heading(results)}. {told}.")


def table_text(results: dict[str, Any]) -> str:
    """The table for a terminal."""
    lines = summary(results)
    status = Counter(s["status"] for s in results["students"])
    told = [f"{results['title']}: " + ", ".join(f"{n} {s}" for s, n in status.most_common())]
    told.append(f"{'':4} {'question':34} {'right':>6} {'wrong':>6} {'unread':>6} {'blank':>6}")
    for line in lines:
        counts = " ".join(f"{line[state]:>6}" for state in STATES)
        told.append(f"{line['label']:4} {line['title'][:34]:34} {counts}")
        told += [f"{'':9}{count} x  {hint}" for hint, count in line["hints"]]
    return "\n".join(told)


def page(results: dict[str, Any]) -> str:
    """The statistics as a page of its own."""
    drawn = figure(results)
    rows = "".join(
        f"<tr><td>{line['label']}</td><td>{html.escape(line['title'])}<br><span class=\"small\">"
        f"{html.escape(line['goal'])}</span></td>"
        + "".join(f"<td>{line[state]}</td>" for state in STATES)
        + "<td>" + "<br>".join(f"{n} x {html.escape(h)}" for h, n in line["hints"]) + "</td></tr>"
        for line in summary(results)
    )  # fmt: skip
    head = "".join(f"<th>{name}</th>" for name in ("", "question", *STATES, "commonest hints"))
    picture = drawn._repr_mimebundle_()["text/html"]
    body = (
        f"<h1>{html.escape(results['title'])}: how the class did</h1>{picture}"
        f"{WIDE}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    return page_of(f"{results['title']}: how the class did", body)


def write(results: dict[str, Any], folder: str | Path) -> Path:
    """Write stats.html, stats.svg and stats.png into a folder."""
    folder = Path(folder)
    drawn = figure(results)
    (folder / "stats.png").write_bytes(drawn.png)
    (folder / "stats.svg").write_text(drawn.svg, encoding="utf-8")
    (folder / "stats.html").write_text(page(results), encoding="utf-8")
    return folder / "stats.html"
