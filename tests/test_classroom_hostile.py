"""Hostile submissions: whatever is handed in, each gets exactly the score it must get.

Each test names the attack and the score. The honest paper of the same student scores FULL.
"""

import base64
import csv
import io
import json
import os
import time
import tracemalloc
import zlib

import pytest
from classroom import ADA, EVE, FULL, ROSTER, SEED, SET, key, marked, paper, save, table

from memwall.core.units import InputError
from memwall_classroom.marking.course import Roster, Student, check_id, read_roster
from memwall_classroom.marking.feedback import essays_page, page
from memwall_classroom.marking.grading import write_all
from memwall_classroom.marking.nbgrader import write_course
from memwall_classroom.marking.rows import Class
from memwall_classroom.marking.submissions import MAX_BYTES
from memwall_classroom.marking.tables import printable, safe_cell


def score(folder, content=None, **how):
    """Ada's score for what she hands in, and her row."""
    if content is not None:
        save(folder, content, **how)
    row = marked(folder)["ada"]
    return row.score, row


def add_code(content, source, where=None):
    cell = {
        "cell_type": "code",
        "id": "own",
        "metadata": {},
        "outputs": [],
        "execution_count": 1,
        "source": source,
    }
    cells = content["cells"]
    cells.insert(len(cells) if where is None else where, cell)
    return content


# ---------------------------------------------------------------- code that would cheat if it ran

REDEFINED = """
import memwall_classroom.marking.grading, memwall_classroom.reading.answers, memwall_classroom.reading.selfcheck
def check(*a, **k): print("right")
memwall_classroom.reading.selfcheck.check = check
memwall_classroom.reading.answers.Number.mark = lambda self, text: Verdict("right")
memwall_classroom.marking.grading.mark_student = lambda *a, **k: 1000
"""


def test_an_honest_paper_scores_full(tmp_path):
    assert score(tmp_path, paper())[0] == FULL


def test_a_redefined_checker_scores_nothing(tmp_path):
    content = paper(answers={"q1": "1 ms", "q2": "N", "q3": "$1 / Mtok"})
    assert score(tmp_path, add_code(content, REDEFINED, where=1))[0] == 0


def test_a_redefined_checker_changes_no_right_answer_either(tmp_path):
    answers = {"q1": key()["q1"], "q2": "W/N", "q3": "$0 / Mtok"}
    assert score(tmp_path, add_code(paper(answers=answers), REDEFINED, where=1))[0] == 2


def test_code_in_a_submission_is_never_run(tmp_path):
    trap = tmp_path / "ran"
    code = f"open({str(trap)!r}, 'w').write('x')\nq1 = open({str(trap)!r}, 'w')\nq2 = __import__('os').system('touch {trap}')"
    content = paper(answers={"q3": f"__import__('pathlib').Path({str(trap)!r}).touch()"})
    assert score(tmp_path / "in", add_code(content, code))[0] == 0
    assert not trap.exists()


def test_printed_forgeries_score_nothing(tmp_path):
    content = paper(answers={})
    forged = "q1: right, 2 of 2\nq2: right, 3 of 3\nq3: right, 4 of 4\nscore 9/9\n" + "".join(
        f'{label} = "{text}"\n' for label, text in key().items()
    )
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "stream", "name": "stdout", "text": forged},
                {"output_type": "display_data", "metadata": {}, "data": {"text/html": forged}},
            ]
    content["metadata"]["memwall"]["score"] = 9
    content["metadata"]["nbgrader"] = {"points": 9, "score": 9}
    assert score(tmp_path, content)[0] == 0


def test_an_endless_loop_takes_no_time(tmp_path):
    start = time.perf_counter()
    assert score(tmp_path, add_code(paper(), "while True: pass"))[0] == FULL
    assert time.perf_counter() - start < 5


def test_an_answer_computed_by_code_is_no_answer(tmp_path):
    content = paper(answers={})
    for label, text in key().items():
        add_code(content, f'{label} = str({text!r})\n{label} = f"{text}" + ""')
    assert score(tmp_path, content)[0] == 0


# ---------------------------------------------------------------- whose paper it is


def test_another_students_paper_is_held_and_scores_nothing(tmp_path):
    points, row = score(tmp_path, paper("ben"))
    assert (points, row.status) == (0, "held")
    assert "another student's paper" in row.reason
    assert row.notes == ["carries the paper of ben"]
    assert "ben" not in page(row).lower()  # the page does not tell whose


def test_another_students_answers_score_nothing_where_numbers_differ(tmp_path):
    answers = {k: v for k, v in key("ben").items() if k in ("q1", "q3")}
    assert score(tmp_path, paper("ada", answers))[0] == 0


def test_handing_in_under_another_id_gives_that_student_nothing(tmp_path):
    # eve's file under ada's name, beside ada's own: ada keeps her score, eve gets none
    save(tmp_path, paper("ada"))
    save(tmp_path, paper("eve"), name="ada.ipynb")
    rows = marked(tmp_path)
    assert (rows["ada"].score, rows["ada"].status) == (FULL, "marked")
    assert (rows["eve"].score, rows["eve"].status) == (0, "missing")


def test_a_forged_stamp_is_noted_and_the_answers_are_marked_as_the_owners(tmp_path):
    content = json.loads(json.dumps(paper("ben")).replace(SET.stamp("ben", SEED), "0" * 24))
    content["metadata"]["memwall"]["student"] = "ada"
    points, row = score(tmp_path, content)
    assert row.status == "marked" and "its stamp is not ours" in row.notes[0]
    assert points == sum(
        i.question.points for i in row.paper.marked if i.asked.mark(key("ben")[i.label]).right
    )
    assert points < FULL


def test_the_students_own_stamp_on_another_students_answers_changes_nothing(tmp_path):
    content = paper("ben")
    content["metadata"]["memwall"] = paper("ada")["metadata"]["memwall"]
    assert score(tmp_path, content)[0] < FULL


def test_a_paper_of_another_set_is_held(tmp_path):
    content = paper()
    content["metadata"]["memwall"] |= {"set": "other", "stamp": "f" * 24}
    points, row = score(tmp_path, content)
    assert (points, row.status) == (0, "held") and "a paper of other" in row.reason


def test_edited_parameters_are_ignored(tmp_path):
    # the text now asks for 1 GB at 1 TB/s; the answer to that is 1 ms, and is wrong
    content = paper(answers={"q1": "1 ms"})
    for cell in content["cells"]:
        if cell["id"] == "q1-text":
            cell["source"] = "A memory of 1 GB is read at 1 TB/s. How long does it take?"
    assert score(tmp_path, content)[0] == 0


def test_edited_points_and_questions_are_ignored(tmp_path):
    content = json.loads(json.dumps(paper()).replace("2 points", "200 points"))
    content["cells"] = [c for c in content["cells"] if not c["id"].endswith("-text")]
    assert score(tmp_path, content)[0] == FULL


def test_stripped_metadata_costs_nothing(tmp_path):
    content = paper()
    content["metadata"] = {}
    for cell in content["cells"]:
        cell.pop("id")
        cell["metadata"] = {}
    points, row = score(tmp_path, content)
    assert (points, row.notes) == (FULL, [])  # the stamp is in the text as well


def test_without_any_stamp_the_paper_is_marked_and_noted(tmp_path):
    content = paper()
    content["metadata"] = {}
    content["cells"] = content["cells"][2:]
    points, row = score(tmp_path, content)
    assert (points, row.notes) == (FULL, ["its stamp is missing"])


def test_metadata_of_every_odd_kind(tmp_path):
    for odd in (
        None,
        7,
        [],
        "x",
        {"memwall": 3},
        {"memwall": {"stamp": [1], "set": {}, "edition": None}},
    ):
        content = paper()
        content["metadata"] = odd
        assert score(tmp_path, content)[0] == FULL


# ---------------------------------------------------------------- cells


def test_a_copied_cell_counts_once_and_the_last_answer_wins(tmp_path):
    content = paper()
    cell = next(c for c in content["cells"] if c["id"] == "q1")
    content["cells"] += [dict(cell), dict(cell)]
    assert score(tmp_path, content)[0] == FULL
    content["cells"].append({**cell, "source": 'q1 = "1 h"'})
    assert score(tmp_path, content)[0] == FULL - 2
    content["cells"].append({**cell, "source": 'q1 = "  "'})  # a blank copy takes nothing back
    assert score(tmp_path, content)[0] == FULL - 2


def test_a_deleted_cell_costs_its_question_only(tmp_path):
    content = paper()
    content["cells"] = [c for c in content["cells"] if c["id"] != "q3"]
    points, row = score(tmp_path, content)
    assert points == FULL - 4
    assert row.verdicts["q3"].state == "blank"


def test_reordered_cells_cost_nothing(tmp_path):
    content = paper()
    content["cells"] = content["cells"][::-1]
    assert score(tmp_path, content)[0] == FULL


def test_all_answers_in_one_cell(tmp_path):
    content = paper(answers={})
    add_code(content, "".join(f"{label} = {json.dumps(text)}\n" for label, text in key().items()))
    assert score(tmp_path, content)[0] == FULL


def test_odd_cells_are_passed_over(tmp_path):
    content = paper()
    content["cells"] += [
        None, 3, "q1", [], {}, {"cell_type": "code"}, {"cell_type": "code", "source": None},
        {"cell_type": "code", "source": [1, None, {}]}, {"cell_type": 5, "source": "q1 = 'x'"},
        {"cell_type": "raw", "source": "q1 = 'x'"}, {"cell_type": "markdown", "source": 'q1 = "1 s"'},
    ]  # fmt: skip
    assert score(tmp_path, content)[0] == FULL


def test_sources_as_lists_of_lines(tmp_path):
    content = paper()
    for cell in content["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    assert score(tmp_path, content)[0] == FULL


@pytest.mark.parametrize(
    ("line", "points"),
    [
        ("q1 = '{}'", 2),
        ('q1="{}"  # my answer', 2),
        ('q1 = """{}"""', 2),
        ("q1 = '''\n{}\n'''", 2),
        ('q1 = r"{}"', 2),
        ('  q1 = "{}"', 2),
        ('q1 = "{}";', 2),
        ("q1 = {}", 2),  # without quotes it can still be read
        ('q1 = "{}" "{}"', 0),
        ('q1 = ("{}")', 0),
        ('q1 == "{}"', 0),
        ('# q1 = "{}"', 0),
        ('q11 = "{}"', 0),
        ('Q1 = "{}"', 0),
        ("q1 = 'unclosed {}", 0),
        ('q1 = ""\nprint("{}")', 0),
    ],
)
def test_how_an_answer_may_be_written(tmp_path, line, points):
    content = paper(answers={})
    content["cells"] = [c for c in content["cells"] if c["id"] != "q1"]
    assert score(tmp_path, add_code(content, line.replace("{}", key()["q1"])))[0] == points


def test_the_wrong_kernel_and_no_kernel(tmp_path):
    for kernel in ({"name": "ir", "language": "R", "display_name": "R"}, {"name": "bash"}, None, 7):
        content = paper()
        content["metadata"]["kernelspec"] = kernel
        assert score(tmp_path, content)[0] == FULL


def test_a_notebook_that_was_never_run(tmp_path):
    content = paper()
    for cell in content["cells"]:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)
    assert score(tmp_path, content)[0] == FULL


# ---------------------------------------------------------------- files

BROKEN = {
    "empty": (b"", "it is empty"),
    "blank": (b" \n ", "it is empty"),
    "not JSON": (b"hello", "it is not JSON"),
    "cut off": (json.dumps(paper()).encode()[:-100], "it is not JSON"),
    "a list": (b"[1, 2]", "no notebook"),
    "a number": (b"3", "no notebook"),
    "no cells": (b"{}", "no notebook"),
    "cells are no list": (b'{"cells": {"q1": 1}}', "no notebook"),
    "an old format": (b'{"worksheets": [{"cells": []}]}', "no notebook"),
    "UTF-16": (json.dumps(paper()).encode("utf-16"), "not a text in UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not a text in UTF-8"),
    "zeros": (b"\0" * 1000, "it is not JSON"),
    "deep lists": (b"[" * 1_000_000, "nested more than"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested more than"),
    "deep in cells": (b'{"cells":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested more than"),
    "an open quote": (b'{"cells": ["' + b'\\"' * 100_000, "it is not JSON"),
    "many cells": (b'{"cells": [' + b"1," * 5000 + b"1]}", "cells"),
    "many parts": (b'{"cells": [' + b"[]," * 400_000 + b"[]]}", "more parts"),
    "two documents": (json.dumps(paper()).encode() * 2, "it is not JSON"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_costs_its_owner_a_reason(tmp_path, case):
    content, reason = BROKEN[case]
    save(tmp_path, paper("eve"), student="eve")
    start = time.perf_counter()
    points, row = score(tmp_path, content)
    assert time.perf_counter() - start < 10
    assert (points, row.status) == (0, "broken")
    assert reason in row.reason
    rows = table(tmp_path)
    assert [r["student"] for r in rows] == ["ada", "ben", "eve"]
    assert rows[2]["machine"] == FULL  # the others are marked
    assert rows[0]["reason"] == row.reason


def test_a_file_of_200_megabytes_is_never_loaded(tmp_path):
    path = save(tmp_path, paper())
    with path.open("ab") as file:
        file.truncate(200_000_000)  # a hole: it costs the disk nothing
    tracemalloc.start()
    points, row = score(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (points, row.status) == (0, "broken")
    assert "200 MB" in row.reason and "Clear all outputs" in row.reason
    assert peak < 20_000_000


def test_large_outputs_just_below_the_limit_are_read(tmp_path):
    content = paper()
    output = {"output_type": "stream", "name": "stdout", "text": "x" * (MAX_BYTES - 100_000)}
    content["cells"][1]["outputs"] = [output]
    assert score(tmp_path, content)[0] == FULL


def test_a_byte_order_mark_and_huge_numbers(tmp_path):
    content = json.dumps(paper())
    assert score(tmp_path, b"\xef\xbb\xbf" + content.encode())[0] == FULL
    huge = content[:-1] + ', "n": ' + "9" * 100_000 + ', "x": NaN, "y": -Infinity, "z": 1e999}'
    assert score(tmp_path, huge)[0] == FULL


def test_lone_surrogates_do_no_harm(tmp_path):
    content = json.dumps(paper(answers={"q1": "\ud800 \udfff"}))  # JSON escapes carry them in
    points, row = score(tmp_path, content)
    assert points == 0 and row.verdicts["q1"].state == "unreadable"
    page(row).encode("utf-8")


def test_a_thousand_unclosed_quotes_take_no_time(tmp_path):
    start = time.perf_counter()
    content = add_code(paper(answers={}), 'q1 = """\n' * 20_000)
    assert score(tmp_path, content)[0] == 0
    assert time.perf_counter() - start < 10


def test_a_hundred_thousand_lines_take_no_time(tmp_path):
    start = time.perf_counter()
    content = paper(answers={})
    for source in ('q1 = ""\n', 'q1 = "" # \n', "q1 = 1\n", "x = 1\n"):
        for _ in range(8):
            add_code(content, source * (199_000 // len(source)))
    assert len(json.dumps(content)) < MAX_BYTES
    assert score(tmp_path, content)[0] == 0
    assert time.perf_counter() - start < 20


def test_outputs_are_never_unpacked(tmp_path):
    # what would become 4 GB if somebody opened it stays a text of a few kilobytes
    bomb = base64.b64encode(zlib.compress(bytes(4_000_000))).decode()
    content = paper()
    for cell in content["cells"]:
        cell["attachments"] = {"x.gz": {"application/gzip": bomb}}
        cell["outputs"] = [
            {"output_type": "display_data", "data": {"image/png": bomb, "image/svg+xml": "&x;"}}
        ]
    assert score(tmp_path, content)[0] == FULL


def test_keys_given_twice(tmp_path):
    # as everywhere in JSON the last one counts, for Jupyter as for the marker
    text = json.dumps(paper())
    other = json.dumps(paper("ben")["metadata"])
    assert score(tmp_path, f'{text[:-1]}, "cells": []}}')[0] == 0
    points, row = score(tmp_path, f'{text[:-1]}, "metadata": {other}}}')
    assert (points, row.status) == (0, "held")


def test_a_folder_with_the_name_of_a_notebook(tmp_path):
    save(tmp_path / "tiny_ada.ipynb", paper(), name="tiny_ada.ipynb")
    assert score(tmp_path)[1].status == "missing"
    loop = tmp_path / "ada"
    loop.mkdir()
    (loop / "again").symlink_to(tmp_path, target_is_directory=True)
    save(loop, paper())
    assert score(tmp_path)[0] == FULL


def test_answers_in_cells_of_the_wrong_kind(tmp_path):
    content = paper()
    for cell in content["cells"]:
        if cell["id"] in ("q1", "q2", "q3"):
            cell["cell_type"] = "markdown" if cell["id"] == "q1" else "raw"
    points, row = score(tmp_path, content)
    assert points == 0 and row.essays == {}
    assert {v.state for v in row.verdicts.values()} == {"blank"}


def test_links_pipes_and_folders_are_not_opened(tmp_path):
    outside = save(tmp_path / "outside", paper())
    inside = tmp_path / "in"
    inside.mkdir()
    link = inside / "tiny_ada.ipynb"
    link.symlink_to(outside)
    points, row = score(inside)
    assert (points, row.status) == (0, "broken") and "a link" in row.reason
    link.unlink()
    os.mkfifo(link)  # opening it would wait for ever
    points, row = score(inside)
    assert (points, row.status) == (0, "broken") and "not a plain file" in row.reason
    link.unlink()
    link.mkdir()
    assert score(inside)[1].status == "missing"
    link.rmdir()
    (inside / "ada").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert score(inside)[1].status == "missing"


def test_a_file_that_is_no_notebook(tmp_path):
    points, row = score(tmp_path, b"%PDF-1.7", name="tiny_ada.pdf")
    assert (points, row.status) == (0, "broken") and "no notebook" in row.reason


def test_something_beside_the_notebook_does_no_harm(tmp_path):
    save(tmp_path / "ada", paper(), name="anything.ipynb")
    save(tmp_path / "ada", b"x", name="photo.jpg")
    assert score(tmp_path)[0] == FULL


def test_two_files_of_one_student(tmp_path):
    # both with her own stamp: the same answers are marked, different ones are held
    save(tmp_path, paper(), name="ada.ipynb")
    points, row = score(tmp_path, paper())
    assert (points, row.status) == (FULL, "marked") and "2 files" in row.notes[0]
    points, row = score(tmp_path, paper(answers=key() | {"q1": "1 s"}))
    assert (points, row.status) == (0, "held") and "two files" in row.reason
    # and so are different essays beside the same answers
    other = paper()
    next(c for c in other["cells"] if c["id"] == "h1")["source"] += "Only here."
    points, row = score(tmp_path, other)
    assert (points, row.status) == (0, "held")
    # a stranger's file under her name does not count beside hers, and cannot hold it up
    save(tmp_path, paper(), name="ada.ipynb")
    save(tmp_path, paper("eve"), name="ada (1).ipynb")
    points, row = score(tmp_path, paper())
    assert (points, row.status) == (FULL, "marked")


def test_a_hundred_files_of_one_student(tmp_path):
    for i in range(100):
        save(tmp_path / "ada", paper(), name=f"{i}.ipynb")
    points, row = score(tmp_path)
    assert (points, row.status) == (0, "held") and "100 files" in row.reason


def test_of_two_files_a_readable_one_counts(tmp_path):
    save(tmp_path, b"broken", name="ada.ipynb")
    assert score(tmp_path, paper())[0] == FULL


def test_an_empty_folder_gives_everybody_a_row(tmp_path):
    tmp_path.joinpath("in").mkdir()
    rows = table(tmp_path / "in")
    assert [(r["student"], r["total"], r["status"]) for r in rows] == [
        ("ada", 0, "missing"), ("ben", 0, "missing"), ("eve", 0, "missing"),
    ]  # fmt: skip


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        marked(tmp_path / "nowhere")


def test_strangers_and_hidden_files_are_listed_and_left_alone(tmp_path):
    from memwall_classroom.marking.grading import grade

    save(tmp_path, paper(), name="mallory.ipynb")
    save(tmp_path / ".ipynb_checkpoints", paper(), name="tiny_ada.ipynb")
    found = grade(SET, ROSTER, tmp_path, SEED, quiet=True)
    told = "its name fits no student of the roster, but it carries the paper of ada: rename it if it is theirs"
    assert found.unclaimed == [("mallory.ipynb", told)]  # ada gets nothing by it
    assert all(row.status == "missing" for row in found.rows)


def test_file_names_with_escapes_are_shown_as_text(tmp_path):
    name = "tiny_\x1b[31mada\n\u202e.ipynb"
    save(tmp_path, paper(), name=name)
    from memwall_classroom.marking.grading import grade

    shown = grade(SET, ROSTER, tmp_path, SEED, quiet=True).unclaimed[0][0]
    assert shown.isprintable() and "\x1b" not in shown


# ---------------------------------------------------------------- answers

HOSTILE_ANSWERS = [
    "__import__('os').system('touch /tmp/x')",
    "().__class__.__bases__[0].__subclasses__()",
    "9**9**9**9",
    "B" * 1_000_000,
    "N*" * 200_000 + "N",
    "(" * 100_000,
    "N" + "**2" * 5000,
    "nan", "NaN ms", "inf s", "-Infinity", "1e400 ms", "1e-400 ms", "9" * 5000,
    "1_000_000**999 ms", "1_000_000**1_000_000", "1 (EB^9)^9", "1 (ns^9)^9 ms", "5 " + "(" * 200 + "ms", "5 ms\u0301",
    "5 ms\ufe0f", "N*w/W\u2060", "N*w/W\n" * 40, "5 ms\n" * 40, "ceil(9e99)^ceil(64)", "1/(N - N)", "N^0^-1", "sqrt(-N)",
    "5 furlongs", "5 ms or 6 ms", "１２ ms", "12 мs", "N\u200b*w/W", "Ν*w/W",
    "<script>alert(1)</script>", "=cmd|'/c calc'!A1", "\x00", "\x1b[2J", "\u202e", "${7*7}", "{{7*7}}", "%s%n",
    "N*w/W if True else 0", "[x for x in ()]", "lambda: 1", "N.__class__", "exec('x')", "q1", "None", "True",
    "../../etc/passwd", "'; DROP TABLE grades; --", "right", "2 of 2 points", "*", "()", "$", "/", "%", "ms",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE_ANSWERS, ids=lambda t: ascii(t)[:20])
def test_hostile_answers_score_nothing_and_cost_only_themselves(tmp_path, text):
    start = time.perf_counter()
    points, row = score(tmp_path, paper(answers={"q1": text, "q2": text, "q3": key()["q3"]}))
    assert points == 4
    assert {row.verdicts[q].state for q in ("q1", "q2")} <= {"unreadable", "wrong"}
    assert row.notes == []  # the marker answers by itself, and asks no teacher
    shown = page(row)
    assert "<script" not in shown and "\x1b" not in shown and "\u202e" not in shown
    assert len(shown) < 20_000
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("N*w/W", "right"),
        ("w*N/W + 0*R", "right"),
        ("(N*w + N*w)/(2*W)", "right"),
        ("N*w/W*(R/R)^2", "right"),
        ("max(N*w/W, 0)", "right"),
        ("(N^2 - 1)*w/(W*(N + 1)) + w/W", "right"),
        ("exp(log(N))*w/W", "right"),
        ("N*w/W + 1e6*w/W", "wrong"),
        ("N*w*W", "wrong"),
        ("W/(N*w)", "wrong"),
        ("2*N*w/W", "wrong"),
        ("-N*w/W", "wrong"),
        ("N*w/W*1.001", "wrong"),
        ("((N+w/w)^60*(N+2)^60*(N+3)^60)^0*N*w/W", "right"),
        ("(N + R/R)^40*(N + 2)^40*w/W", "wrong"),
    ],
)
def test_formulas_are_compared_by_algebra_and_numbers(tmp_path, text, state):
    student = next(
        s for s in (f"s{i}" for i in range(20)) if SET.paper(s, SEED).items[1].asked.unit == "s"
    )
    start = time.perf_counter()
    assert SET.paper(student, SEED).items[1].asked.mark(text).state == state
    assert time.perf_counter() - start < 5


def test_algebra_sees_through_cancellation():
    from memwall_classroom import Formula, Letter

    asked = Formula("", lambda N: N, {"N": Letter("", "1", 1, 10)}, "")
    assert "by algebra" in asked.mark("(N + 1e20) - 1e20").hint  # numbers would lose N
    assert asked.mark("N + 1e20 - 1e20 + 1").state == "wrong"


# ---------------------------------------------------------------- what is written for others

INJECTIONS = [
    "=cmd|'/c calc'!A1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1",
    " =1",
    "＝1+1",
    "|calc",
    "%0A=1",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_cell_of_a_table_begins_like_a_formula(text):
    cell = safe_cell(text)
    assert cell.startswith("'")
    assert safe_cell("Ada = 3") == "Ada = 3"
    assert safe_cell(-3) == -3


def test_scores_hold_no_formula_and_pages_no_script(tmp_path):
    evil = "=cmd|'/c calc'!A1<script>alert(1)</script><img src=x onerror=\"y\">"
    roster = Roster((Student("ada", evil), EVE))
    save(tmp_path / "in", paper(answers={"q1": evil, "q2": "N", "q3": "$1 / Mtok"}))
    content = paper("eve")
    for cell in content["cells"]:
        if cell["id"] == "h1":
            cell["source"] += evil + "\n\x1b[31m\u202e" + "</pre></details>"
    save(tmp_path / "in", content, student="eve")
    from memwall_classroom.marking.grading import grade

    found = grade(SET, roster, tmp_path / "in", SEED, quiet=True)
    for lms in ("canvas", "moodle", "gradescope"):
        write_all(found, tmp_path / "out", lms=lms)
    for path in (tmp_path / "out").glob("*.csv"):
        for line in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))):
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in line), path
    pages = [*(tmp_path / "out" / "feedback").glob("*.html"), tmp_path / "out" / "to_mark.html"]
    assert len(pages) == 3
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert (
            "<script" not in text
            and "<img" not in text
            and "\x1b" not in text
            and "\u202e" not in text
        )
        assert "default-src 'none'" in text
        assert text.count("</pre>") == text.count("<pre>")
    assert "&lt;script&gt;" in pages[-1].read_text(encoding="utf-8")


def test_the_key_is_nowhere_unless_asked_for(tmp_path):
    save(tmp_path, paper(answers={"q1": "1 h", "q2": "N*N", "q3": "$1 / Mtok"}))
    row = marked(tmp_path)["ada"]
    for reveal in (False, True):
        text = page(row, reveal)
        for item in row.paper.marked:
            assert (item.asked.right_answer() in text) is reveal
    assert "Weights are shared." not in page(row, True)  # the model essay is for the teacher


def test_essays_are_kept_short_and_escaped(tmp_path):
    content = paper()
    cell = next(c for c in content["cells"] if c["id"] == "h1")
    cell["source"] += "word " * 100_000
    save(tmp_path, content)
    row = marked(tmp_path)["ada"]
    assert len(row.essays["h1"]) <= 30_000
    assert len(essays_page(Class(SET, [row], []))) < 60_000


def test_printable_hides_nothing_and_shows_nothing_invisible():
    assert printable("a\x1b[31m\u202eb\n") == "a\\x1b[31m\\u202eb\\n"
    assert printable("x" * 500, 10) == "x" * 10 + "…"


# ---------------------------------------------------------------- ids and rosters


@pytest.mark.parametrize(
    "id",
    [
        "../../etc/passwd", "..", ".", "", " ", "a/b", "a\\b", "/root", "~root", "a\0b", "a\nb", "-rf", ".hidden",
        "a..b", "CON.", "ada.", "a" * 65, "аda", "ada\u202e", "=cmd|x", "+1", "@sum", "a b", "a;b", "a|b", "$(x)", "%2e%2e",
        "a*b", "a?b", "a:b", '"', "'", "<b>",
    ],
)  # fmt: skip
def test_an_id_that_could_be_a_path_or_a_formula_is_refused(id):
    with pytest.raises(InputError, match="student id"):
        check_id(id)


@pytest.mark.parametrize(
    "id", ["ada", "s1234567", "ada.lovelace@example.org", "a-b_c+d", "1001", "A" * 64]
)
def test_the_ids_of_real_platforms_are_fine(id):
    assert check_id(id) == id


def test_a_roster_with_hostile_lines_keeps_the_good_ones(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text('id,name\nada,Ada\n../x,Evil\n,Nobody\nADA,Again\n"a\nb",Line\nben,"=1+1"\n')
    roster = read_roster(path)
    assert [s.id for s in roster.students] == ["ada", "ben"]
    assert len(roster.refused) >= 3
    assert "line 3" in roster.refused[0]


LMS_NAMES = {
    "canvas": "x_7_98_tiny.ipynb", "moodle": "Ada_12345_assignsubmission_file_/tiny.ipynb", "gradescope": "submission_77/a.ipynb",
}  # fmt: skip


@pytest.mark.parametrize("lms", LMS_NAMES)
def test_two_students_of_one_name_on_a_platform_are_not_mixed_up(tmp_path, lms):
    """The stamp tells them apart; where there is none both are held, and the class is marked."""
    same = {"canvas_id": "7", "email": "X@example.org"}
    pair = Roster((Student("ada", "Ada", same), Student("ben", "ada", same), EVE))
    (tmp_path / "submission_metadata.yml").write_text("submission_77:\n  :email: x@example.org\n")
    path = tmp_path / LMS_NAMES[lms]
    save(path.parent, paper("ben"), name=path.name)
    rows = marked(tmp_path, pair, lms=lms)
    assert [(r.status, r.score) for r in rows.values()] == [
        ("missing", 0),
        ("marked", FULL),
        ("missing", 0),
    ]
    bare = paper("ben")
    bare["metadata"], bare["cells"] = {}, bare["cells"][2:]
    save(path.parent, bare, name=path.name)
    rows = marked(tmp_path, pair, lms=lms)
    assert [r.status for r in rows.values()] == ["held", "held", "missing"]
    assert "not its alone" in rows["ada"].reason
    # the stamp of a third student gives the file to nobody
    save(path.parent, paper("eve"), name=path.name)
    rows = marked(tmp_path, pair, lms=lms)
    assert [r.score for r in rows.values()] == [0, 0, 0]
    assert marked(tmp_path, pair)["ada"].status == "missing"


def test_no_table_made_for_nbgrader_begins_like_a_formula(tmp_path):
    evil = Student("ada", "=cmd|'/c calc'!A1 <script>", {"email": "@SUM(A1)"})
    write_course(SET, Roster((evil,)), SEED, tmp_path, "memwall")
    ((_, *line),) = list(csv.reader((tmp_path / "students.csv").open(encoding="utf-8")))[1:]
    assert line and not any(cell.startswith(("=", "@", "+", "-")) for cell in line)
    assert "<script" not in (tmp_path / "papers" / "ada" / "tiny.ipynb").read_text("utf-8")


@pytest.mark.parametrize("content", ["", "name\nAda\n", "id\n", "id\n../x\n", "\0"])
def test_a_useless_roster_is_refused(tmp_path, content):
    path = tmp_path / "roster.csv"
    path.write_text(content)
    with pytest.raises(InputError):
        read_roster(path)


def test_no_file_is_written_outside_the_output(tmp_path):
    before = set(tmp_path.rglob("*"))
    save(tmp_path / "in" / "ada", paper(), name="..%2f..%2fx.ipynb")
    from memwall_classroom.marking.grading import grade

    write_all(grade(SET, Roster((ADA,)), tmp_path / "in", SEED, quiet=True), tmp_path / "out")
    new = set(tmp_path.rglob("*")) - before
    assert all(p.is_relative_to(tmp_path / "in") or p.is_relative_to(tmp_path / "out") for p in new)
