"""The teacher's command line: python -m memwall_classroom make | grade | stats | key | read | pools | check | bench."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from memwall.core.units import InputError

from .marking import bench, checking, feedback, grading, nbgrader, papers, pools, stats
from .marking.course import Roster, check_id, read_roster, read_seed
from .marking.lms import FORMATS
from .marking.progress import progress
from .marking.sets import load_set, set_folders
from .marking.submissions import MAX_BYTES
from .marking.tables import printable
from .marking.term import MAX_ATTEMPTS, Term, read_due, read_exceptions
from .reading.amounts import read_amount
from .reading.expressions import read_formula
from .reading.form import Form
from .reading.grammar import GrammarError, dimension_text, kind_of
from .reading.units import unit_complaint

SEED_FILE = "course.seed"
ROSTER = "roster.csv"
EXCEPTIONS = "exceptions.csv"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m memwall_classroom",
        description="Problem sets with a paper of its own for every student, and their marking.",
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def command(
        name: str, about: str, *, set: bool = True, seed: bool = True
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        if set:
            sub.add_argument("set", help="a problem set: set1, or the path of its file")
        if seed:
            sub.add_argument(
                "--seed-file",
                default=SEED_FILE,
                help=f"the course's secret seed (default {SEED_FILE})",
            )
        return sub

    make = command("make", "Write one notebook for each student of a roster.")
    make.add_argument(
        "--roster",
        default=ROSTER,
        help=f"CSV with a column id, and name, email ... (default {ROSTER})",
    )
    make.add_argument("--out", help="folder for the papers (default papers/SET)")
    make.add_argument("--install", default="", help="what pip shall install where the library is missing: "
                      "a URL or a path (default: a wheel written beside the papers)")  # fmt: skip
    make.add_argument(
        "--nbgrader", metavar="COURSE", help="write a course folder for nbgrader instead"
    )

    make.add_argument(
        "--attempt", type=int, default=1, help="papers with new numbers: 2 for a resit"
    )
    make.add_argument("--student", help="for this student alone")

    grade = command("grade", "Mark a folder of submissions.")
    grade.add_argument("submissions", help="folder of notebooks")
    grade.add_argument(
        "--roster", default=ROSTER, help=f"the roster the papers were made with (default {ROSTER})"
    )
    grade.add_argument("--out", help="folder for scores and feedback (default graded/SET)")
    grade.add_argument(
        "--lms", choices=sorted(FORMATS), default="", help="file names and columns of this platform"
    )
    grade.add_argument("--reveal", action="store_true", help="put the key into the feedback pages")
    grade.add_argument(
        "--max-mb", type=float, default=MAX_BYTES / 1e6, help="largest file that is read"
    )
    grade.add_argument(
        "--nbgrader", metavar="COURSE", help="also put the scores into this course's gradebook"
    )

    grade.add_argument("--due", help="2026-03-31 or 2026-03-31T18:00: later files are late")
    grade.add_argument("--late-percent", type=float, default=10, help="of the total, for each day late (default 10)")  # fmt: skip
    grade.add_argument("--attempts", choices=("better", "last"), default="better", help="which attempt counts")  # fmt: skip
    grade.add_argument("--exceptions", default=EXCEPTIONS, help="CSV: student, set, excused, extension_days, late_days, note "
                       f"(default {EXCEPTIONS}, if there is one)")  # fmt: skip

    how = command(
        "stats", "Show how the class did, from the folder that grade wrote.", set=False, seed=False
    )
    how.add_argument("graded", help="the folder that grade wrote")

    key = command("key", "Print the worked solutions of one student's paper.")
    key.add_argument("student", help="a student id")
    key.add_argument("--attempt", type=int, default=1)
    key.add_argument("--out", help="write Markdown to this file instead")

    read = command("read", "Say how an answer is read.", set=False, seed=False)
    read.add_argument("text", help="what a student might write")
    asked = read.add_mutually_exclusive_group()
    asked.add_argument("--unit", help="the unit that a question asks for")
    asked.add_argument("--formula", metavar="SYMBOLS", help="read a formula over these symbols: B,N_a,F")  # fmt: skip

    pool = command("pools", "Write each question as a pool of variants in QTI 1.2.")
    pool.add_argument("--variants", type=int, default=20, help="in each pool (default 20)")
    pool.add_argument("--out", help="the package to write (default SET_pools.zip)")

    check = command("check", "Try every question of a set for many ids (for authors).", seed=False)
    check.add_argument("--ids", type=int, default=500)

    speed = command("bench", "Time the marking of an honest class.", set=False, seed=False)
    speed.add_argument("sets", nargs="*", help="sets to time (default: all)")
    speed.add_argument("--students", type=int, default=300)
    speed.add_argument("--json", help="also write the numbers to this file")
    return parser


def _make(args: argparse.Namespace) -> None:
    set, roster = load_set(args.set), read_roster(args.roster)
    new = not Path(args.seed_file).exists()
    seed = read_seed(args.seed_file, create=True)
    if new:
        print(
            f"A new course seed was written to {args.seed_file}. Keep it secret, and keep it: marking needs it."
        )
    if args.nbgrader:
        course = nbgrader.write_course(set, roster, seed, args.nbgrader, args.install)
        print(f"{len(roster)} papers of {set.name} and a frame for nbgrader are in {course}. Next, in that folder:\n"
              f"  nbgrader db student import students.csv\n  nbgrader generate_assignment {set.name}")  # fmt: skip
        return
    if not 1 <= args.attempt <= MAX_ATTEMPTS:
        raise InputError(f"attempt {args.attempt}: 1 to {MAX_ATTEMPTS}")
    if args.student:
        chosen = roster.ids().get(args.student.lower())
        if chosen is None:
            raise InputError(f"{printable(args.student, 64)!r} is not on the roster")
        roster = Roster((chosen,), roster.refused)
    out = Path(args.out or f"papers/{set.name}")
    made = papers.make_papers(set, roster, seed, out, args.install, args.attempt)
    count = sum(1 for _ in progress(made, f"making {set.name}", total=len(roster)))
    print(f"{count} {'paper' if count == 1 else 'papers'} of {set.name} in {out}.")
    _report(list(roster.refused))


def _grade(args: argparse.Namespace) -> None:
    set, roster = load_set(args.set), read_roster(args.roster)
    seed = read_seed(args.seed_file)
    out = Path(args.out or f"graded/{set.name}")
    max_bytes = int(args.max_mb * 1e6)
    term = Term(
        read_due(args.due) if args.due else None, args.late_percent / 100, args.attempts,
        read_exceptions(Path(args.exceptions), set.name),
    )  # fmt: skip
    marked = grading.grade(
        set, roster, args.submissions, seed, lms=args.lms, max_bytes=max_bytes, term=term
    )
    scores = grading.write_all(marked, out, reveal=args.reveal, lms=args.lms)
    counts = {
        s: sum(r.status == s for r in marked.rows)
        for s in ("marked", "missing", "broken", "held", "excused")
    }
    if not counts["excused"]:
        del counts["excused"]
    print(
        ", ".join(f"{n} {s}" for s, n in counts.items())
        + f". Scores are in {scores}, pages in {out / 'feedback'}."
    )
    _report(list(roster.refused))
    _report(
        [
            f"{row.student.id}: {row.status}, {row.reason}"
            for row in marked.rows
            if row.status in ("broken", "held")
        ]
    )
    _report([f"{row.student.id}: {note}" for row in marked.rows for note in row.notes])
    _report([f"{name}: {why}" for name, why in marked.unclaimed])
    if lacking := [row for row in marked.rows if row.lacks()]:
        labels = sorted({label for row in lacking for label in row.lacks()})
        print(
            f"The totals of {len(lacking)} are without {', '.join(labels)}, not yet marked by hand."
        )
    if marked.waiting:
        answers = "answer waits" if marked.waiting == 1 else "answers wait"
        print(f"{marked.waiting} {answers} for your decision: see {out / 'to_decide.html'}, enter points in decide.csv.")  # fmt: skip
    if not counts["marked"]:
        print("Nothing was marked: is it the right folder, roster and --lms?")
    if args.nbgrader:
        print(
            f"{nbgrader.load_scores(marked, args.nbgrader)} students are in the gradebook of {args.nbgrader}."
        )


def _report(lines: list[str], most: int = 20) -> None:
    for line in lines[:most]:
        print(f"  {printable(line, 200)}")
    if len(lines) > most:
        print(f"  ... and {len(lines) - most} more: see the notes in scores.csv")


def _stats(args: argparse.Namespace) -> None:
    results = grading.read_results(args.graded)
    print(stats.table_text(results))
    print(f"The figure and the table are in {stats.write(results, args.graded)}.")


def _key(args: argparse.Namespace) -> None:
    seed = read_seed(args.seed_file)
    paper = load_set(args.set).paper(check_id(args.student), seed, args.attempt)
    text = feedback.key_text(paper)
    if args.out:
        Path(args.out).write_text(text, encoding="utf-8")
    else:
        print(text)


def _read(args: argparse.Namespace) -> int:
    """How an answer is read: first on the line the value in SI, or the formula."""
    try:
        if args.formula is not None:
            print(
                read_formula(
                    args.text, [s for s in args.formula.replace(",", " ").split() if s]
                ).text
            )
            return 0
        form = Form(args.unit or "")
        read = read_amount(args.text, form)
        given = read.quantity
        if args.unit and (
            complaint := unit_complaint(given.measure, form.measure, form.unit, form.binds)
        ):
            raise GrammarError(f"{given.value:.12g}: {complaint}")
    except GrammarError as error:
        print(f"refused: {error}.")
        return 1
    kind = kind_of(given.measure) if given.measure.counts else f"{kind_of(given.measure)} in {dimension_text(given.measure.dimension)}"  # fmt: skip
    told = f"{given.value:.12g}  {kind}, read as {given.text()}"
    if read.other is not None:
        told += f"; with a decimal comma {read.other:.12g}"
    print(told)
    return 0


def _pools(args: argparse.Namespace) -> None:
    set = load_set(args.set)
    seed = read_seed(args.seed_file, create=True)
    path = pools.write(set, seed, Path(args.out or f"{set.name}_pools.zip"), args.variants)
    print(
        f"{len(set.questions)} pools of {args.variants} variants, and the quiz that draws from them, are in {path}."
    )


def _check(args: argparse.Namespace) -> int:
    trials = checking.try_set(load_set(args.set), args.ids)
    for trial in trials:
        print(trial.line())
    return 1 if any(trial.faults for trial in trials) else 0


def _bench(args: argparse.Namespace) -> None:
    names = args.sets or sorted({p.stem for folder in set_folders() for p in folder.glob("*.py")})
    results = bench.run(names, args.students)
    print(bench.table(results))
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=1), encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Run a command; what is wrong with the input is told in one line."""
    args = _parser().parse_args(argv)
    commands = {
        "make": _make,
        "grade": _grade,
        "stats": _stats,
        "key": _key,
        "read": _read,
        "pools": _pools,
        "check": _check,
        "bench": _bench,
    }
    try:
        return commands[args.command](args) or 0
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
