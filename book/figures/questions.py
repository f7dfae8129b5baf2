"""Chapter 12: the answer to each question, all of them at once, and when one more chip helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import sympy as sp

from memwall import catalog, forecast, passes
from memwall.core.nouns import Layout
from memwall.experiments.questions import VERDICTS, Answer, Question
from memwall.views.explorer import Curve, Explorer, Lines, Point, Preset, Readout, Slider, variables
from memwall.views.figures import COLORS, Figure, canvas, show, table
from memwall.views.table import link

COLOURS = {"arithmetic": "weights", "engine": "bound", "forecast": "network"}
WORDS = {
    "arithmetic": "arithmetic explains it",
    "engine": "the engine does something else",
    "forecast": "the forecast is wrong",
}

MILD = {"first_token": "3600", "token_rate": "0.1"}  # promises that rule nothing out
YES = {0.0: "does not start", 1.0: "starts"}


def told(value: float) -> str:
    """Three digits, and no power of ten."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def in_planner(answer: Answer) -> str:
    """The address of the planner's page with the row's setting in it."""
    row = answer.row
    if row["case"]:
        row = next(r for r in catalog.table("memory_cases") if r["id"] == row["case"])
        engine = {n: row[n] for n in ("tp", "dp", "ep", "pp")}
        engine |= {"memory_share": row["memory_share"]} if row["memory_share"] else {}
        asked = {"prompt": row["context"] or "2000", "output": "500", "users": "1"}
        asked |= {"serves": "SGLang"} if row["engine"].startswith("SGLang") else {}
    else:
        parts = row["layout"].split()
        engine = {"tp": "1", "dp": "1", "ep": "1", "pp": "1"} | dict(
            zip(parts[::2], parts[1::2], strict=True)
        )
        if row["guesses"]:
            engine |= {"drafts": row["guesses"], "acceptance": row["accepted"]}
        engine["memory_share"] = "1"  # what was measured did fit
        asked = {name: row[name] for name in ("prompt", "output", "users")}
    state = {
        "model": row["model"], "weights": row["weights"], "cache": row["cache"], "use": "",
        "chips": catalog.chip(row["chip"]).name, "rate": "0", **asked, **MILD,
        "engine": ",".join(f"{name}:{value}" for name, value in engine.items()),
    }  # fmt: skip
    return f"11_planner.html#plan?{urlencode(state)}".replace("+", "%20")


def answers(question: Question) -> Any:
    """What is computed for a question, between which ends, and what was measured."""
    rows = [
        (
            a.row["setting"],
            *(
                (YES[a.value], "", YES[a.measured])
                if a.row["asked"] == "starts"
                else (
                    f"{told(a.value)} {a.row['unit']}",
                    f"{told(a.low)} to {told(a.high)}",
                    told(a.measured),
                )
            ),
            "inside" if a.inside else "outside",
            link("open", in_planner(a)),
        )
        for a in question.answers
    ]
    head = ("", "computed", "band", "measured", "it is", "in the planner")
    return table(head, rows, label=question.answers[0].row["words"])


def count(questions: Sequence[Question]) -> Any:
    """How many questions each verdict has."""
    rows = [(WORDS[v], f"{sum(q.verdict == v for q in questions)}") for v in VERDICTS]
    return table(("verdict", "questions"), rows)


def all_answers(questions: Sequence[Question]) -> Figure:
    """How much worse than computed every number is, in the colour of its question's verdict."""
    within = sum(a.inside for q in questions for a in q.answers)
    total = sum(len(q.answers) for q in questions)
    fig, ax = canvas(
        f"{within} of {total} numbers lie within the band",
        x=("Questions, in the order of the chapter", ""), y=("Times slower, or less room", "x"), log="y",
    )  # fmt: skip
    ax.axhline(1, color="grey", lw=1)
    for verdict, kind in COLOURS.items():
        dots = [
            (place, a.worse)
            for place, q in enumerate(questions)
            for a in q.answers
            if a.measured and q.verdict == verdict
        ]
        ax.plot(*zip(*dots, strict=True), "o", ms=4, color=COLORS[kind], label=WORDS[verdict])
    ax.legend(loc="upper right", fontsize=9, frameon=False)
    ax.set_xticks([])
    return show(
        fig,
        "How many times slower than computed, or with how much less room: most lie about one, those of the engine far above.",
    )


def one_more_chip() -> Explorer:
    """Live: time per token on one to eight chips, for a price of an exchange that you set."""
    chips, users, wait = variables("chips users wait")
    constants = forecast.fitted().replace(round=wait)
    models = ("Llama-2-7B", "CodeLlama-34B", "Llama-3.1-70B")
    which = variables("which", nonnegative=True)
    one = catalog.chip("A100 80GB")

    def step(name: str) -> Any:
        checkpoint = catalog.checkpoint(name)
        work = passes.decode_pass(users, 1000, checkpoint, one.machine(chips), Layout(tp=chips))
        return forecast.pass_time(work, constants)

    steps = [step(name) for name in models]
    time = variables("r_time")
    chosen = sp.Piecewise(*[(t, which < i + 0.5) for i, t in enumerate(steps[:-1])], (steps[-1], True))  # fmt: skip
    low, high = forecast.band()
    return Explorer(
        "more-chips",
        title="On {chips} chips a token takes {time}, {gain} the speed of one chip",
        controls=[
            Preset("Model on A100", {name: {which: i} for i, name in enumerate(models)}),
            Slider(chips, "Chips", 1, 8, 4, integer=True),
            Slider(wait, "One round of an exchange", 1e-6, 5e-4, 4e-6, unit="s", log=True),
            Slider(users, "Users", 1, 256, 1, log=True),
        ],
        lets={time: chosen},
        chart=Lines(
            x=chips, y=("Time per token", "s"), log="y",
            curves=[
                Curve("", high * time, "compute", fill_to=low * time, width=0.01),
                Curve("forecast", time, "compute"),
            ],
            points=[Point("you", chips, time)],
        ),
        readouts=[
            Readout("Time per token", time, "s", key="time", low=low * time, high=high * time),
            Readout("Faster than one chip", chosen.subs(chips, 1) / time, "x", key="gain"),
        ],
        alt="Time per token against the number of chips that cut each matrix: {time} on {chips}, {gain} the speed of one chip.",
    )  # fmt: skip
