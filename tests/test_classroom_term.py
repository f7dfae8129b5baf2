"""What happens in a term: a teacher decides, answers are right in part, late, excused, given again, or lost by a platform."""

import csv
import json
import os
import re
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from classroom import ADA, BEN, EVE, FULL, ROSTER, SEED, SET, key, marked, paper, save

from memwall.core.units import InputError
from memwall_classroom import Choice, Formula, Number, ProblemSet
from memwall_classroom.__main__ import main
from memwall_classroom.marking import pools
from memwall_classroom.marking.course import Roster, Student
from memwall_classroom.marking.feedback import essays_page, page
from memwall_classroom.marking.grading import grade, mark_student, write_all
from memwall_classroom.marking.lms import tables
from memwall_classroom.marking.papers import make_papers, notebook, notebook_name
from memwall_classroom.marking.rows import Class
from memwall_classroom.marking.sets import Credit, load_set
from memwall_classroom.marking.submissions import MAX_FILES_EACH
from memwall_classroom.marking.term import Agreed, Term, read_due, read_exceptions


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def edit(path, change, delimiter=","):
    """What somebody does in a spreadsheet: change lines and save."""
    lines = rows(path)
    header = list(lines[0])
    change(lines)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, delimiter=delimiter, restval="")
        writer.writeheader()
        writer.writerows(lines)


def graded(tmp_path, **options):
    found = grade(SET, ROSTER, tmp_path / "in", SEED, quiet=True, **options)
    write_all(found, tmp_path / "out")
    return {row.student.id: row for row in found.rows}


# ---------------------------------------------------------------- a teacher decides


def number_of(text):
    return text.split()[0]


def test_what_could_not_be_read_is_listed_and_a_decision_is_obeyed_and_kept(tmp_path):
    answers = key() | {"q1": "see the picture", "q3": "perhaps $4 or $5 / Mtok"}
    save(tmp_path / "in", paper(answers=answers))
    assert graded(tmp_path)["ada"].score == 3
    table = tmp_path / "out" / "decide.csv"
    lines = rows(table)
    assert [(r["student"], r["question"], r["answer"], r["out of"], r["given"], r["points"]) for r in lines] == [
        ("ada", "q1", "see the picture", "2", "0", ""), ("ada", "q3", "perhaps $4 or $5 / Mtok", "4", "0", ""),
    ]  # fmt: skip
    assert "could not be read" in lines[0]["why"]
    shown = (tmp_path / "out" / "to_decide.html").read_text(encoding="utf-8")
    assert "see the picture" in shown and key()["q1"] in shown
    edit(table, lambda lines: lines[0].update(points="1.5", comment="The picture shows it."))
    for _ in range(2):  # and again, as when another student's paper comes in
        row = graded(tmp_path)["ada"]
        assert row.score == 4.5
        assert rows(tmp_path / "out" / "scores.csv")[0]["q1"] == "1.5"
        assert rows(table)[0]["points"] == "1.5"
    told = (tmp_path / "out" / "feedback" / "tiny_ada.html").read_text(encoding="utf-8")
    assert "Your teacher has decided: 1.5 points. The picture shows it." in told


def test_a_decision_holds_for_the_answer_it_was_made_for(tmp_path):
    save(tmp_path / "in", paper(answers=key() | {"q1": "see the picture"}))
    graded(tmp_path)
    table = tmp_path / "out" / "decide.csv"
    edit(table, lambda lines: lines[0].update(points="2"))
    assert graded(tmp_path)["ada"].score == FULL
    save(tmp_path / "in", paper(answers=key() | {"q1": "1 h"}))
    row = graded(tmp_path)["ada"]
    assert row.score == FULL - 2 and "points for another answer" in row.notes[0]
    assert rows(table)[0]["points"] == "2"  # what was typed is not lost
    save(tmp_path / "in", paper(answers=key() | {"q1": "see the picture"}))
    assert graded(tmp_path)["ada"].score == FULL


def test_lines_that_nobody_filled_in_go_when_they_are_settled(tmp_path):
    save(tmp_path / "in", paper(answers=key() | {"q1": "see the picture"}))
    graded(tmp_path)
    save(tmp_path / "in", paper())
    graded(tmp_path)
    assert rows(tmp_path / "out" / "decide.csv") == []


def test_any_answer_may_be_decided_and_what_is_typed_badly_is_told(tmp_path):
    save(tmp_path / "in", paper(answers=key() | {"q2": "N", "q1": "?"}))
    graded(tmp_path)
    table = tmp_path / "out" / "decide.csv"
    extra = {"student": "ada", "question": "q2", "points": "2"}
    edit(table, lambda lines: (lines[0].update(points="9"), lines.append(extra)))
    row = graded(tmp_path)["ada"]
    assert row.score == 4 + 2 and "9 is not a number from 0 to 2" in row.notes[0]
    assert {r["question"]: r["points"] for r in rows(table)} == {"q1": "9", "q2": "2"}
    table.write_text("student,points\nada,1\n")
    with pytest.raises(InputError, match="no column 'question'"):
        graded(tmp_path)
    assert table.read_text() == "student,points\nada,1\n"


def test_decimal_commas_and_other_columns_survive(tmp_path):
    save(tmp_path / "in", paper(answers=key() | {"q1": "?"}))
    graded(tmp_path)
    table = tmp_path / "out" / "decide.csv"
    table.write_text(
        "student;question;points;by\nada;q1;1,5;Jürgen\nzoe;q1;2;Max\n", encoding="utf-8"
    )
    assert graded(tmp_path)["ada"].score == FULL - 0.5
    with table.open(newline="", encoding="utf-8-sig") as file:
        ada, zoe = csv.DictReader(file, delimiter=";")
    assert (ada["points"], ada["by"], zoe["points"]) == ("1,5", "Jürgen", "2")


def test_answers_in_decide_csv_are_no_formulas(tmp_path):
    save(tmp_path / "in", paper(answers=key() | {"q1": "=cmd|'/c calc'!A1"}))
    graded(tmp_path)
    assert rows(tmp_path / "out" / "decide.csv")[0]["answer"].startswith("'=")
    edit(tmp_path / "out" / "decide.csv", lambda lines: lines[0].update(points="1"))
    assert graded(tmp_path)["ada"].score == FULL - 1  # the same answer, in spite of the mark


# ---------------------------------------------------------------- right in part


def test_a_right_number_without_its_unit_gets_half(tmp_path):
    for text in (number_of(key()["q1"]), *(f"{number_of(key()['q1'])} {u}" for u in ("GB", "s"))):
        save(tmp_path / "in", paper(answers=key() | {"q1": text}))
        row = graded(tmp_path)["ada"]
        assert (row.score, row.verdicts["q1"].slip) == (FULL - 1, "unit")
        assert (
            "so it gets 1 points" in page(row)
            and rows(tmp_path / "out" / "decide.csv")[0]["given"] == "1"
        )
    save(tmp_path / "in", paper(answers=key() | {"q1": "7"}))
    assert graded(tmp_path)["ada"].verdicts["q1"].slip == ""


def test_a_number_just_outside_the_tolerance_is_rounded_too_coarsely():
    asked = Number("", 100.0, "ms", ("1 us", "1 h"), tolerance=0.01)
    slips = [asked.mark(f"{value:g} s").slip for value in (100.9, 101.5, 98.4, 103.0, 50.0)]
    assert slips == ["", "rounding", "rounding", "", ""]
    assert Number("", 100.0, "chips", ("1 chip", "1000 chips"), whole=True).mark("101").slip == ""


def chained(credit):
    set = ProblemSet("chain", "A chain", (1,), ("follow",), credit=credit)

    @set.question(points=2, minutes=1, goal="count")
    def seats(draw):
        """Seats"""
        return Number("How many?", 40.0, "users", ("1 user", "900 users"), solution="40")

    @set.question(points=4, minutes=1, goal="price")
    def price(draw):
        """Price"""
        return Number(
            "What does one cost?",
            3.0,
            "$",
            ("$0.1", "$90"),
            follows="seats",
            carried=lambda n: 120 / n,
            solution="120/40",
        )

    return set


@pytest.mark.parametrize(
    ("answers", "points", "slip"),
    [
        ({"q1": "40 users", "q2": "$3"}, 6, ""),
        ({"q1": "30 users", "q2": "$4"}, 4, "carried"),  # 120/30: wrong once
        ({"q1": "30 users", "q2": "$3"}, 4, ""),  # right all the same
        ({"q1": "30 users", "q2": "$5"}, 0, ""),
        ({"q1": "40 users", "q2": "$4"}, 2, ""),
        ({"q1": "a few", "q2": "$4"}, 0, ""),  # nothing to follow
        ({"q2": "$4"}, 0, ""),
        ({"q1": "0 users", "q2": "$4"}, 0, ""),
    ],
)
def test_an_error_is_counted_once(tmp_path, answers, points, slip):
    set = chained(Credit())
    path = save(tmp_path, paper(answers=answers, set=set), name="chain_ada.ipynb")
    row = mark_student(ADA, [path], set, SEED)
    assert (row.score, row.verdicts["q2"].slip) == (points, slip)


def test_the_rule_is_on_the_paper_and_the_teacher_may_change_it(tmp_path):
    strict = chained(Credit(unit=0, rounding=0, carried=0))
    path = save(
        tmp_path, paper(answers={"q1": "30 users", "q2": "$4"}, set=strict), name="chain_ada.ipynb"
    )
    assert mark_student(ADA, [path], strict, SEED).score == 0
    heads = [
        notebook(s.paper("ada", SEED))["cells"][0]["source"] for s in (chained(Credit()), strict)
    ]
    assert "gets 50% of the points" in heads[0] and "an error is counted once" in heads[0]
    assert "No points are given for parts" in heads[1]


# ---------------------------------------------------------------- late, excused


def late(path, days, due=datetime(2026, 3, 1, 18)):
    os.utime(path, (due.timestamp() + days * 86400,) * 2)


@pytest.mark.parametrize(
    ("days", "late_days", "total"), [(-1, 0, 9), (0.1, 1, 8.1), (2.5, 3, 6.3), (30, 30, 0)]
)
def test_late_days_cost_a_tenth_each(tmp_path, days, late_days, total):
    late(save(tmp_path / "in", paper()), days)
    term = Term(read_due("2026-03-01T18:00"))
    row = graded(tmp_path, term=term)["ada"]
    assert (row.late, row.score, row.total) == (late_days, FULL, pytest.approx(total))
    assert rows(tmp_path / "out" / "scores.csv")[0]["days late"] == (
        str(late_days) if late_days else ""
    )
    assert ("late" in page(row)) is bool(late_days)


def test_what_was_agreed_counts_more_than_the_clock(tmp_path):
    table = tmp_path / "exceptions.csv"
    table.write_text(
        "student,set,excused,extension_days,late_days,note\nada,tiny,,2,,ill\nben,,yes,,,\neve,,,,1,the mail was slow\nada,other,yes,,,\n"
    )
    agreed = read_exceptions(table, "tiny")
    assert agreed == {
        "ada": Agreed(extension=2.0, note="ill"), "ben": Agreed(excused=True), "eve": Agreed(late=1, note="the mail was slow"),
    }  # fmt: skip
    for student in ("ada", "eve"):
        late(save(tmp_path / "in", paper(student), student=student), 1.5)
    found = graded(tmp_path, term=Term(read_due("2026-03-01T18:00"), exceptions=agreed))
    assert [(r.status, r.late) for r in found.values()] == [
        ("marked", 0),
        ("excused", 0),
        ("marked", 1),
    ]
    assert found["ada"].notes == ["ill"]
    ben = rows(tmp_path / "out" / "scores.csv")[1]
    assert (ben["status"], ben["q1"], ben["machine"], ben["total"]) == ("excused", "", "", "")
    assert "You are excused" in page(found["ben"])
    assert read_exceptions(tmp_path / "none.csv", "tiny") == {}
    for spoilt in ("student,why\nada,x\n", "student,late_days\nada,soon\n"):
        table.write_text(spoilt)
        with pytest.raises(InputError):
            read_exceptions(table, "tiny")


def test_dates_are_read_or_refused():
    assert read_due("2026-03-01") == datetime(2026, 3, 1, 23, 59, 59)
    with pytest.raises(InputError, match="is no date"):
        read_due("1.3.2026")


# ---------------------------------------------------------------- again


def again(attempt, answers=None, student="ada"):
    made = SET.paper(student, SEED, attempt)
    content = notebook(made, student, "memwall")
    right = {i.label: i.asked.right_answer() for i in made.marked} | (answers or {})
    for cell in content["cells"]:
        if cell["cell_type"] == "code" and cell["id"] in right:
            cell["source"] = cell["source"].replace('""', json.dumps(right[cell["id"]]), 1)
    return content


def test_a_second_paper_has_other_numbers_and_a_stamp_of_its_own():
    first, second = SET.paper("ada", SEED), SET.paper("ada", SEED, 2)
    assert [i.asked.text for i in first.items] != [i.asked.text for i in second.items]
    assert first.stamp != second.stamp and notebook_name(SET, "ada", 2) == "tiny_ada_2.ipynb"
    assert SET.paper("ada", SEED, 1).stamp == first.stamp


@pytest.mark.parametrize(("counts", "score"), [("better", FULL), ("last", FULL - 4)])
def test_the_better_or_the_last_attempt_counts(tmp_path, counts, score):
    save(tmp_path / "in", paper())
    save(tmp_path / "in", again(2, {"q3": "$1 / Mtok"}), name="tiny_ada_2.ipynb")
    row = graded(tmp_path, term=Term(counts=counts))["ada"]
    assert (row.status, row.score) == ("marked", score)
    assert f"attempts 1: {FULL} points, 2: {FULL - 4} points; the {counts} counts" in row.notes


def test_answers_to_the_first_paper_are_wrong_on_the_second(tmp_path):
    content = json.loads(
        json.dumps(paper()).replace(SET.stamp("ada", SEED), SET.stamp("ada", SEED, 2))
    )
    save(tmp_path / "in", content)
    assert graded(tmp_path)["ada"].score < FULL


def test_another_students_second_paper_is_held(tmp_path):
    save(tmp_path / "in", again(2, student="ben"))
    assert graded(tmp_path)["ada"].status == "held"


def test_a_resit_is_made_for_one_or_for_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("roster.csv").write_text("id,name\nada,Ada\nben,Ben\n../x,Evil\n")
    assert main(["make", "set1", "--attempt", "2", "--student", "ADA"]) == 0
    assert [p.name for p in Path("papers/set1").glob("*.ipynb")] == ["set1_ada_2.ipynb"]
    assert (
        main(["make", "set1", "--attempt", "9"]) == main(["make", "set1", "--student", "zoe"]) == 2
    )
    assert "not on the roster" in capsys.readouterr().err
    # the line of the roster that was refused has a row as well
    assert main(["grade", "set1", "papers/set1", "--due", "2099-01-01"]) == 0
    found = rows(Path("graded/set1/scores.csv"))
    assert [(r["student"], r["status"]) for r in found] == [
        ("ada", "marked"),
        ("ben", "missing"),
        ("", "refused"),
    ]
    assert "roster.csv line 4" in found[2]["reason"] and found[0]["attempt"] == "2"


# ---------------------------------------------------------------- what nobody knows is empty


def test_held_and_broken_rows_are_empty_in_every_table(tmp_path):
    save(tmp_path / "in", paper("ben"))  # under ada's name
    save(tmp_path / "in", b"broken", student="ben")
    found = grade(SET, ROSTER, tmp_path / "in", SEED, quiet=True)
    assert [r.status for r in found.rows] == ["held", "broken", "missing"]
    write_all(found, tmp_path / "out", lms="canvas")
    for line in rows(tmp_path / "out" / "scores.csv")[:2]:
        assert [line[c] for c in ("q1", "q2", "q3", "h1", "machine", "by hand", "total")] == [
            ""
        ] * 7
    for lms in ("canvas", "moodle"):
        for header, lines in tables(lms, found).values():
            at = header.index("tiny total")
            assert [line[at] for line in lines[-3:]] == ["", "", 0]
    assert rows(tmp_path / "out" / "scores_canvas_total.csv")[0].keys() == {
        "Student", "ID", "SIS User ID", "SIS Login ID", "Section", "tiny total",
    }  # fmt: skip


def test_a_total_says_what_it_lacks(tmp_path):
    save(tmp_path / "in", paper())
    graded(tmp_path)
    assert [r["total lacks"] for r in rows(tmp_path / "out" / "scores.csv")] == ["h1", "", ""]

    def fill(lines):
        lines[0].update({c: "1" for c in lines[0] if c.startswith("h1.")})

    edit(tmp_path / "out" / "hand.csv", fill)
    graded(tmp_path)
    assert rows(tmp_path / "out" / "scores.csv")[0]["total lacks"] == ""


def test_essays_are_marked_by_code(tmp_path):
    content = paper()
    next(c for c in content["cells"] if c["id"] == "h1")["source"] += "Because."
    save(tmp_path / "in", content)
    row = graded(tmp_path)["ada"]
    shown = essays_page(Class(SET, [row], []))
    assert "<h3>ada" not in shown and "tiny_ada" not in shown and f"<h3>{row.paper.code}" in shown
    assert rows(tmp_path / "out" / "hand.csv")[0]["code"] == row.paper.code


def test_feedback_repeats_the_question(tmp_path):
    save(tmp_path, paper(answers={"q1": "1 h"}))
    row = marked(tmp_path)["ada"]
    assert row.paper.items[0].asked.text in page(row).replace("&#x27;", "'")


def test_a_formula_of_nought_is_no_constant_factor():
    asked = SET.paper("ada", SEED).items[1].asked
    assert (
        asked.mark("0*N*w/W" if asked.unit == "s" else "0*N*w/W*R").hint
        == "Zero is not the answer here."
    )


# ---------------------------------------------------------------- platforms, folders, seeds


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Siobhan O'Brien", "Siobhan OBrien"),
        ("D’Angelo <Lee> & Co: x", "DAngelo Lee  Co x"),
        ('Ann "Nan" Lee', "Ann Nan Lee"),
    ],
)
def test_names_that_a_platform_cleans(tmp_path, name, file):
    roster = Roster((Student("ada", name),))
    save(tmp_path / f"{file}_123_assignsubmission_file_", paper())
    assert marked(tmp_path, roster, lms="moodle")["ada"].score == FULL


def test_anonymous_names_are_told_by_the_stamp(tmp_path):
    for i, student in enumerate(("ada", "ben")):
        save(tmp_path, paper(student), name=f"anon_x{i}_{i}_tiny.ipynb")
    found = marked(tmp_path, lms="canvas")
    assert [(r.status, r.score) for r in found.values()] == [
        ("marked", FULL),
        ("marked", FULL),
        ("missing", 0),
    ]


def test_a_wrong_seed_marks_nobody_and_one_forger_stops_nobody(tmp_path):
    for student in ("ada", "ben", "eve"):
        save(tmp_path / "in", paper(student), student=student)
    other = grade(SET, ROSTER, tmp_path / "in", b"another seed, as long as it must be", quiet=True)
    assert {r.status for r in other.rows} == {"held"}
    assert "is it the seed" in other.rows[0].reason and other.rows[0].cells() == [""] * 4
    forged = json.loads(json.dumps(paper()).replace(SET.stamp("ada", SEED), "0" * 24))
    save(tmp_path / "in", forged)
    assert {r.status for r in graded(tmp_path).values()} == {"marked"}


def test_a_home_folder_full_of_files_costs_its_owner_a_line(tmp_path):
    full = tmp_path / "in" / "ada" / "venv"
    full.mkdir(parents=True)
    for i in range(MAX_FILES_EACH + 1):
        (full / f"{i}.py").touch()
    save(tmp_path / "in", paper("ben"), student="ben")
    found = graded(tmp_path)
    assert (found["ada"].status, found["ben"].score) == ("held", FULL)
    assert "more than 2,000 files" in found["ada"].reason
    save(tmp_path / "in" / "ada", paper())  # where the notebook lies open, it counts
    assert graded(tmp_path)["ada"].score == FULL


def test_what_is_not_looked_into_is_listed(tmp_path):
    inside = tmp_path / "in"
    save(inside, paper(), name="..tiny_ada.ipynb")
    save(inside / "a" / "b" / "c" / "d", paper(), name="tiny_ada.ipynb")
    (inside / "ben").symlink_to(tmp_path, target_is_directory=True)
    found = grade(SET, ROSTER, inside, SEED, quiet=True)
    assert dict(found.unclaimed) == {
        "..tiny_ada.ipynb": "its name begins with a dot",
        "a/b/c/d": "a folder more than 3 deep, not looked into",
        "ben": "a link to a folder, not followed",
    }
    assert {r.status for r in found.rows} == {"missing"}


def test_a_multiple_of_any_known_prime_is_no_identity():
    asked = Formula(
        "", lambda N: N, {"N": __import__("memwall_classroom").Letter("", "1", 1, 10)}, ""
    )
    for prime in (2**127 - 1, 2**61 - 1, 2**89 - 1, 2**107 - 1):
        assert asked.mark(f"N + {prime}*(N - 1)").state == "wrong"
        assert asked.mark(f"N*(1 + {prime})").state == "wrong"


# ---------------------------------------------------------------- pools


def children(element):
    return [child.tag for child in element]


def test_pools_hold_variants_that_a_platform_can_mark(tmp_path):
    path = pools.write(SET, SEED, tmp_path / "pools.zip", variants=5)
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        trees = {n: ET.fromstring(package.read(n)) for n in names}
    banks = ["tiny_q1.xml", "tiny_q2.xml", "tiny_q3.xml", "tiny_h1.xml"]
    assert names == ["imsmanifest.xml", *banks, "tiny_quiz.xml"]
    listed = [e.get("href") for e in trees["imsmanifest.xml"].iter() if e.tag.endswith("}resource")]
    assert listed == names[1:]
    qti = f"{{{pools.QTI}}}"
    for label in ("q1", "q2", "q3", "h1"):
        root = trees[f"tiny_{label}.xml"]
        assert root.tag == f"{qti}questestinterop" and children(root) == [f"{qti}objectbank"]
        bank = root[0]
        # the order that the format's schema asks for
        assert bank.get("ident") and bank[0].tag == f"{qti}qtimetadata"
        items = bank.findall(f"{qti}item")
        assert (
            len(items)
            == len({"".join(i.itertext()) for i in items})
            == (2 if label in ("q2", "h1") else 5)
        )
        for item in items:
            assert children(item) == [
                qti + t for t in ("itemmetadata", "presentation", "resprocessing")
            ]
            assert children(item.find(f"{qti}resprocessing")) == [
                f"{qti}outcomes",
                f"{qti}respcondition",
            ]
    first = trees["tiny_q1.xml"].find(f".//{qti}item")
    exact, low, high = (
        float(first.find(f".//{qti}{t}").text) for t in ("varequal", "vargte", "varlte")
    )
    assert low < exact < high and low == pytest.approx(0.98 * exact, rel=1e-4)
    kinds = {
        label: trees[f"tiny_{label}.xml"].find(f".//{qti}fieldentry[.='essay_question']")
        is not None
        for label in ("q1", "q2", "h1")
    }
    assert kinds == {"q1": False, "q2": True, "h1": True}
    again = pools.write(SET, SEED, tmp_path / "again.zip", variants=5)
    assert again.read_bytes() == path.read_bytes()


# which children an element may have, in which order, of those that are used here: from the format's
# own definition, ims_qtiasiv1p2.dtd, by which the packages of all sets are valid (the extension aside)
_TESTS = "(not|and|or|other|varequal|vargte|varlte)+"
MODELS = {
    "questestinterop": "(objectbank)|(assessment)|(section|item)+", "objectbank": "(qtimetadata)*(section|item)+",
    "item": "(itemmetadata)?(presentation)?(resprocessing)*(itemfeedback)*", "itemmetadata": "(qtimetadata)*",
    "qtimetadata": "(vocabulary)?(qtimetadatafield)+", "qtimetadatafield": "(fieldlabel)(fieldentry)",
    "presentation": "(flow)|(material|response_lid|response_str)+", "material": "(mattext)+", "response_lid": "(material)?(render_choice)",
    "response_str": "(material)?(render_fib)", "render_choice": "(response_label)*", "render_fib": "(response_label)*",
    "response_label": "(material)*", "resprocessing": "(outcomes)(respcondition)+", "outcomes": "(decvar)+",
    "assessment": "(qtimetadata)*(selection_ordering)?(sectionref|section)+", "selection_ordering": "(selection)*(order)?",
    "section": "(qtimetadata)*(selection_ordering)?(itemref|item|sectionref|section)*",
    "selection": "(sourcebank_ref)?(selection_number)?(selection_extension)?", "selection_extension": "(points_per_item)",
    "respcondition": "(conditionvar)(setvar)*(displayfeedback)*", "conditionvar": _TESTS, "or": _TESTS, "and": _TESTS,
}  # fmt: skip
ATTRIBUTES = {
    "objectbank": {"ident"}, "item": {"ident", "title"}, "response_lid": {"ident", "rcardinality"}, "response_str": {"ident", "rcardinality"},
    "render_fib": {"fibtype"}, "response_label": {"ident", "rshuffle"}, "varequal": {"respident"}, "vargte": {"respident"},
    "varlte": {"respident"}, "setvar": {"action", "varname"}, "decvar": {"maxvalue", "minvalue", "varname", "vartype"},
    "respcondition": {"continue"}, "assessment": {"ident", "title"}, "section": {"ident", "title"}, "mattext": {"texttype"},
}  # fmt: skip


@pytest.mark.parametrize("name", ["set1", "set4", "set5", "project"])
def test_every_bank_and_the_quiz_keep_the_formats_content_model(name):
    set = load_set(name)
    trees = {label: pools.bank(set, label, q, SEED, 3) for label, q in set.labels().items()}
    for label, tree in {**trees, "quiz": pools.quiz(set)}.items():
        root = ET.fromstring(ET.tostring(tree))
        for element in root.iter():
            tag = element.tag.rpartition("}")[2]
            below = "".join(f"<{child.tag.rpartition('}')[2]}>" for child in element)
            model = re.sub(r"[a-z_]+", lambda m: f"<{m.group()}>", MODELS.get(tag, ""))
            assert re.fullmatch(model, below), (label, tag, below)
            assert {*element.attrib} <= ATTRIBUTES.get(tag, {*()}), (label, tag)
            assert "ident" in element.attrib or "ident" not in ATTRIBUTES.get(tag, ())
            assert not (len(element) and (element.text or "").strip())


def test_canvas_finds_what_its_importer_looks_for():
    """The rules of Canvas's importer, which turns QTI 1.2 into banks, questions and groups."""
    set = load_set("set1")
    banks = {label: pools.bank(set, label, q, SEED, 3) for label, q in set.labels().items()}
    for label, question in set.labels().items():
        root = banks[label]
        fields = {
            f.findtext("fieldlabel"): f.findtext("fieldentry")
            for f in root.iter("qtimetadatafield")
        }
        assert fields["bank_title"] and float(fields["points_possible"]) == question.points
        for item in root.iter("item"):
            kind = {
                f.findtext("fieldlabel"): f.findtext("fieldentry")
                for f in item.iter("qtimetadatafield")
            }["question_type"]
            assert len([*item.iter("respcondition")]) == 1
            if kind == "numerical_question":
                # an exact answer in `or`; its margin is what `varlte` adds; `vargt` would ask for figures
                assert item.find(".//render_fib").get("fibtype") == "Decimal"
                either = item.find(".//or")
                exact, low, high = (
                    Decimal(either.findtext(f".//{t}")) for t in ("varequal", "vargte", "varlte")
                )
                assert item.find(".//vargt") is None
                assert float(high - exact) == pytest.approx(float(exact - low), rel=1e-2)
                assert not re.search("[eE]", "".join(either.itertext()))
            elif kind == "multiple_choice_question":
                offered = [e.get("ident") for e in item.iter("response_label")]
                assert item.findtext(".//varequal") in offered
                assert item.findtext(".//setvar") == "100"
            else:
                assert kind == "essay_question"
    # a group draws so many of a bank, which it names by the bank's own name
    groups = pools.quiz(set).findall("./assessment/section/section")
    assert [g.findtext(".//sourcebank_ref") for g in groups] == [
        bank.find("objectbank").get("ident") for bank in banks.values()
    ]
    assert {g.findtext(".//selection_number") for g in groups} == {"1"}
    assert sum(float(g.findtext(".//points_per_item")) for g in groups) == set.points + set.hand_points  # fmt: skip


def test_a_number_in_a_pool_is_written_without_an_exponent():
    assert [pools._decimal(x) for x in (1572864.0, 12.5, 2.4e-7)] == [
        "1572860",
        "12.5",
        "0.00000024",
    ]


def test_a_choice_in_a_pool_knows_its_letter():
    set = ProblemSet("c", "C", (1,), ())

    @set.question(points=1, minutes=1, goal="choose")
    def which(draw):
        """Which"""
        return Choice(
            f"Of {draw.integer(1, 99)} < 100 & more?", draw.options("this", {"that": "No."}), "this"
        )

    root = pools.bank(set, "q1", set.questions[0], SEED, 6)
    items = root.findall(".//item")
    assert len(items) == 6
    for item in items:
        labels = {e.get("ident"): "".join(e.itertext()) for e in item.iter("response_label")}
        assert "this" in labels[item.find(".//varequal").text]
        assert "&lt; 100 &amp; more" in item.find(".//mattext").text  # HTML inside XML


def test_pools_are_written_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["pools", "set1", "--variants", "2"]) == 0
    assert "9 pools of 2 variants" in capsys.readouterr().out
    assert zipfile.is_zipfile("set1_pools.zip")


def test_every_set_makes_papers_for_a_second_attempt(tmp_path):
    made = list(make_papers(SET, Roster((ADA, BEN, EVE)), SEED, tmp_path, "memwall", 2))
    assert [p.name for p in made] == ["tiny_ada_2.ipynb", "tiny_ben_2.ipynb", "tiny_eve_2.ipynb"]
