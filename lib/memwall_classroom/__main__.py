"""The teacher's command line: python -m memwall_classroom make | grade | stats | key | check | bench."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from memwall.core.units import InputError

from .marking import bench, checking, feedback, grading, nbgrader, papers, stats
from .marking.course import check_id, read_roster, read_seed
from .marking.lms import FORMATS
from .marking.sets import load_set, set_folders
from .marking.submissions import MAX_BYTES, printable

SEED_FILE = "course.seed"
ROSTER = "roster.csv"


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

    how = command(
        "stats", "Show how the class did, from the folder that grade wrote.", set=False, seed=False
    )
    how.add_argument("graded", help="the folder that grade wrote")

    key = command("key", "Print the worked solutions of one student's paper.")
    key.add_argument("student", help="a student id")
    key.add_argument("--out", help="write Markdown to this file instead")

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
    out = Path(args.out or f"papers/{set.name}")
    made = papers.make_papers(set, roster, seed, out, args.install)
    count = sum(1 for _ in grading.progress(made, f"making {set.name}", total=len(roster)))
    print(f"{count} papers of {set.name} are in {out}.")
    _report(list(roster.refused))


def _grade(args: argparse.Namespace) -> None:
    set, roster = load_set(args.set), read_roster(args.roster)
    seed = read_seed(args.seed_file)
    out = Path(args.out or f"graded/{set.name}")
    max_bytes = int(args.max_mb * 1e6)
    marked = grading.grade(set, roster, args.submissions, seed, lms=args.lms, max_bytes=max_bytes)
    scores = grading.write_all(marked, out, reveal=args.reveal, lms=args.lms)
    counts = {
        s: sum(r.status == s for r in marked.rows) for s in ("marked", "missing", "broken", "held")
    }
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
    paper = load_set(args.set).paper(check_id(args.student), read_seed(args.seed_file))
    text = feedback.key_text(paper)
    if args.out:
        Path(args.out).write_text(text, encoding="utf-8")
    else:
        print(text)


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
