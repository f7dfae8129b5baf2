"""The teacher's flow from end to end, on the command line: make, hand in, grade, mark by hand, stats, key."""

import csv
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from classroom import ADA, FULL, ROSTER, SEED, SET, key, marked, paper, save

from memwall_classroom.__main__ import main
from memwall_classroom.marking import bench
from memwall_classroom.marking.course import Roster, Student, read_roster, read_seed
from memwall_classroom.marking.grading import grade, score_table, write_all
from memwall_classroom.marking.papers import make_papers, notebook, write_wheel
from memwall_classroom.marking.sets import load_set
from memwall_classroom.marking.submissions import find_submissions
from memwall_classroom.reading import selfcheck

ASSIGNMENTS = Path(__file__).resolve().parents[1] / "assignments"


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with a roster of three, papers of set1 made in it."""
    monkeypatch.chdir(tmp_path)
    Path("roster.csv").write_text(
        "id,name,email,canvas_id\nada,Ada Lovelace,ada@example.org,1001\n"
        "ben,Ben Bitdiddle,ben@example.org,1002\neve,Eve,eve@example.org,1003\n"
    )
    assert main(["make", "set1"]) == 0
    return tmp_path


def fill(path, answers):
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["id"] in answers:
            cell["source"] = cell["source"].replace('""', json.dumps(answers[cell["id"]]), 1)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_from_roster_to_scores(course, capsys):
    set1, seed = load_set("set1"), read_seed("course.seed")
    papers = sorted(Path("papers/set1").glob("*.ipynb"))
    assert [p.name for p in papers] == ["set1_ada.ipynb", "set1_ben.ipynb", "set1_eve.ipynb"]
    right = {i.label: i.asked.right_answer() for i in set1.paper("ada", seed).marked}
    fill(papers[0], right)
    fill(papers[1], {"q2": "1 ms", "q3": "plenty"})
    Path("in").mkdir()
    for path in papers[:2]:
        path.rename(Path("in") / path.name)
    assert main(["grade", "set1", "in"]) == 0
    told = capsys.readouterr().out
    assert "2 marked, 1 missing, 0 broken, 0 held" in told
    found = rows(Path("graded/set1/scores.csv"))
    assert [(r["student"], r["machine"], r["status"]) for r in found] == [
        ("ada", str(set1.points), "marked"), ("ben", "0", "marked"), ("eve", "0", "missing"),
    ]  # fmt: skip
    assert {f"q{i}" for i in range(1, 9)} <= set(found[0])
    pages = sorted(p.name for p in Path("graded/set1/feedback").glob("*.html"))
    assert pages == ["set1_ada.html", "set1_ben.html", "set1_eve.html"]
    ben = Path("graded/set1/feedback/set1_ben.html").read_text(encoding="utf-8")
    assert "Could not be read" in ben and "plenty" in ben and "No answer" in ben

    assert main(["stats", "graded/set1"]) == 0
    told = capsys.readouterr().out
    assert "2 marked, 1 missing" in told
    assert Path("graded/set1/stats.png").stat().st_size > 5000
    page = Path("graded/set1/stats.html").read_text(encoding="utf-8")
    assert "<svg" in page and "Two tenants" in page and "<script" not in page

    assert main(["key", "set1", "ada"]) == 0
    told = capsys.readouterr().out
    assert all(answer in told for answer in right.values())
    assert main(["key", "set1", "ben", "--out", "ben.md"]) == 0
    assert Path("ben.md").read_text(encoding="utf-8") != told


def test_the_seed_is_made_once_kept_secret_and_needed(course, capsys):
    seed = Path("course.seed")
    first = seed.read_text()
    assert seed.stat().st_mode & 0o077 == 0
    assert main(["make", "set2"]) == 0
    assert seed.read_text() == first
    seed.unlink()
    for command in (["grade", "set1", "papers/set1"], ["key", "set1", "ada"]):
        assert main(command) == 2
        assert "no course seed" in capsys.readouterr().err
    seed.write_text("2026")
    assert main(["grade", "set1", "papers/set1"]) == 2
    assert "could guess it" in capsys.readouterr().err


def test_papers_made_with_another_seed_are_noticed(course, capsys):
    Path("course.seed").unlink()
    read_seed("course.seed", create=True)
    assert main(["grade", "set1", "papers/set1"]) == 0
    assert "its stamp is not ours" in capsys.readouterr().out


def test_an_edited_set_is_noticed(tmp_path):
    content = paper()
    content["metadata"]["memwall"]["edition"] = "0" * 12
    save(tmp_path, content)
    assert "another edition" in marked(tmp_path)["ada"].notes[0]


def test_hand_marks_are_read_in_and_kept(course):
    Path("in").mkdir()
    for path in Path("papers/set1").glob("*.ipynb"):
        content = json.loads(path.read_text(encoding="utf-8"))
        for cell in content["cells"]:
            if cell["id"] == "h1":
                cell["source"] += "Because the weights are shared & <b>read once</b>."
        (Path("in") / path.name).write_text(json.dumps(content), encoding="utf-8")
    assert main(["grade", "set1", "in"]) == 0
    essays = Path("graded/set1/to_mark.html").read_text(encoding="utf-8")
    assert essays.count("&lt;b&gt;read once&lt;/b&gt;") == 3
    assert "Ada Lovelace" not in essays  # marked by id, not by name
    hand = Path("graded/set1/hand.csv")
    lines = rows(hand)
    columns = [c for c in lines[0] if c.startswith("h1.")]
    assert len(columns) == 4
    assert rows(Path("graded/set1/scores.csv"))[0]["h1"] == ""
    lines[0] |= dict(zip(columns, ["3", "2,5", "1", "2"], strict=True))
    lines[1] |= dict(zip(columns, ["3", "99", "x", ""], strict=True))
    with hand.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    assert main(["grade", "set1", "in"]) == 0
    found = rows(Path("graded/set1/scores.csv"))
    assert (found[0]["h1"], found[0]["by hand"], found[0]["total"]) == ("8.5", "8.5", "8.5")
    assert found[1]["h1"] == "" and "h1.2: 99 is not a number from 0 to" in found[1]["notes"]
    again = rows(hand)
    assert again[0][columns[1]] == "2.5" and again[2][columns[0]] == ""
    page = Path("graded/set1/feedback/set1_ada.html").read_text(encoding="utf-8")
    assert "2.5 of 3" in page


def test_what_people_typed_into_hand_csv_is_never_lost(course, capsys):
    """As a spreadsheet in Germany saves it: semicolons, Windows letters; with columns of one's own."""
    assert main(["grade", "set1", "papers/set1"]) == 0
    hand = Path("graded/set1/hand.csv")
    columns = [c for c in rows(hand)[0] if c.startswith("h1.")]
    hand.write_bytes(
        "\r\n".join([
            ";".join(["student", "name", *columns, "comment", "marker"]),
            "ada;Ada Lovelace;3;2,5;1;2;Schön <b>erklärt</b>;Jürgen",
            "ben;Ben;3;gut;;;=cmd|x;",
            "zoe;Zoë;1;1;1;1;gone;",
        ]).encode("cp1252")
    )  # fmt: skip
    for _ in range(2):
        assert main(["grade", "set1", "papers/set1"]) == 0
        with hand.open(newline="", encoding="utf-8-sig") as file:
            ada, ben, eve, zoe = csv.DictReader(file, delimiter=";")
        assert (ada[columns[1]], ada["marker"]) == ("2,5", "Jürgen")  # 2.5 would be a date there
        assert (ben[columns[0]], ben[columns[1]], ben["comment"]) == ("3", "gut", "'=cmd|x")
        assert eve["student"] == "eve" and (zoe["name"], zoe["comment"]) == ("Zoë", "gone")
    page = Path("graded/set1/feedback/set1_ada.html").read_text(encoding="utf-8")
    assert "Schön &lt;b&gt;erklärt&lt;/b&gt;" in page
    assert "Comment:</strong> =cmd|x" in Path("graded/set1/feedback/set1_ben.html").read_text()
    assert rows(Path("graded/set1/scores.csv"))[0]["by hand"] == "8.5"
    for spoilt, told in (
        ("a,b\n1,2\n", "no column 'student'"),
        ("student\nada\nada\n", "two lines"),
    ):
        hand.write_text(spoilt)
        assert main(["grade", "set1", "papers/set1"]) == 2
        assert told in capsys.readouterr().err
        assert hand.read_text() == spoilt


def test_an_essay_goes_on_in_the_cells_below_it(tmp_path):
    content = paper()
    at = next(i for i, c in enumerate(content["cells"]) if c["id"] == "h1")
    own = [{"cell_type": "markdown", "metadata": {}, "source": f"## Part {i}"} for i in range(3)]
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "source": "sweep()"}
    content["cells"][at]["source"] += "It begins."
    content["cells"][at + 1 : at + 1] = [own[0], code, own[1]]
    content["cells"].insert(2, own[2])  # a note above it is no part of it
    for id in (True, False):
        for cell in content["cells"]:
            if not id:
                cell.pop("id", None)
        save(tmp_path, content)
        row = marked(tmp_path)["ada"]
        assert row.essays == {"h1": "It begins.\n\n## Part 0\n\n## Part 1"}
        assert row.score == FULL and row.file == "tiny_ada.ipynb"


def test_reveal_puts_the_key_on_the_page(course):
    answer = load_set("set1").paper("ada", read_seed("course.seed")).items[1].asked.right_answer()
    page = Path("graded/set1/feedback/set1_ada.html")
    assert main(["grade", "set1", "papers/set1"]) == 0
    assert answer not in page.read_text(encoding="utf-8")
    assert main(["grade", "set1", "papers/set1", "--reveal"]) == 0
    assert answer in page.read_text(encoding="utf-8")


def test_wrong_input_is_told_in_a_line(course, capsys):
    for command, told in (
        (["make", "set9"], "Did you mean"),
        (["make", "set1", "--roster", "nobody.csv"], "no roster nobody.csv"),
        (["grade", "set1", "nowhere"], "no folder"),
        (["stats", "nowhere"], "run `grade` first"),
        (["key", "set1", "../ada"], "student id"),
        (["make", "set1", "--install", "x; rm -rf /"], "nothing that pip installs"),
    ):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert error.startswith("error:") and told in error and len(error.splitlines()) == 1


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "memwall_classroom", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in done.stdout for name in ("make", "grade", "stats", "key", "check", "bench"))


def test_check_tells_an_author_what_is_wrong(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(
        "from memwall_classroom import Number, ProblemSet\n"
        'SET = ProblemSet("mine", "Mine", (1,), ("a goal",))\n'
        '@SET.question(points=1, minutes=1, goal="count")\n'
        "def good(draw):\n    'Good'\n    n = draw.integer(3, 90)\n"
        "    return Number(f'What is {n} + {n} s?', 2 * n, 's', ('1 s', '1 h'), {'Once.': n}, 'Add.')\n"
        '@SET.question(points=1, minutes=1, goal="count")\n'
        "def bad(draw):\n    'Bad'\n    n = draw.integer(3, 90)\n"
        "    return Number(f'What is $ {n}?', n, 's', ('1 s', '2 h'), {'Same.': 3 * n})\n"
    )
    assert main(["check", str(path), "--ids", "20"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("good")
    assert "a dollar sign is not escaped" in lines[1]


# ---------------------------------------------------------------- the notebooks


def test_notebooks_are_valid_and_hold_no_key():
    for name in ("set1", "set2", "set3", "set4", "set5", "project"):
        set = load_set(name)
        made = set.paper("ada", SEED)
        content = notebook(made, "Ada", "memwall.whl")
        nbformat.validate(nbformat.from_dict(content))
        text = json.dumps(content)
        assert SEED.decode() not in text
        for item in made.marked:
            key = item.asked.right_answer()
            if len(key) > 5:
                assert key not in text, (name, item.label)
            assert item.asked.solution not in text
        assert set.stamp("ada", SEED) in text and set.stamp("ben", SEED) not in text
        ids = [cell["id"] for cell in content["cells"]]
        assert len(ids) == len({*ids}) and {i.label for i in made.items} <= {*ids}


def test_a_name_from_the_roster_cannot_write_into_the_notebook():
    made = notebook(
        SET.paper("ada", SEED), "Eve</i><script>alert(1)</script>`{x}`[a](javascript:1) $x$", "w"
    )
    head = made["cells"][0]["source"]
    assert "<script" not in head and "javascript:1)" not in head and "$x$" not in head


def test_the_students_notebook_runs_and_its_self_check_speaks(tmp_path):
    import nbclient

    content = nbformat.from_dict(paper(answers={"q1": "80 GB", "q2": "N *", "q3": "$4 / Mtok"}))
    nbclient.NotebookClient(content, timeout=120, kernel_name="python3").execute()
    told = "".join(o.get("text", "") for c in content.cells for o in c.get("outputs", []))
    assert "q1: it reads as a number. Your unit is that of an amount of data" in told
    assert "q2: it cannot be read: it ends too early" in told
    assert "q3: reads as 4 $/ Mtok. Well formed." in told


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ('q1 = "5 ms"', False),
        ("q1 = '5 ms'  # so", False),
        ('q1 = """5\n  ms"""', False),
        ("q1 = 5e3", False),
        ("q1 = 5_000", False),
        ("print(1)", False),
        ('q1 = f"{5} ms"', True),
        ('q1 = ("5 ms")', True),
        ('q1 = str(5) + " ms"', True),
        ('q1 = "5" " ms"', True),
        ('q1 = "5 \\u00b5s"', True),
        ("q1 = 10 * 5", True),
    ],
)
def test_the_self_check_warns_of_what_the_marker_will_not_run(monkeypatch, capsys, line, warned):
    import IPython

    shell = SimpleNamespace(user_ns={"In": ["", f'{line}\ncheck("q1", q1)']})
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    names = {"q1": "5 ms"}
    exec(line, names)
    selfcheck.check("q1", names["q1"], unit="", least="0", most="1e9")
    assert ("the marker runs nothing" in capsys.readouterr().out) is warned


def test_the_wheel_is_a_wheel(tmp_path):
    path = write_wheel(tmp_path)
    assert re.fullmatch(r"memory_wall-[\d.]+-py3-none-any\.whl", path.name)
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        assert (
            "memwall_classroom/reading/selfcheck.py" in names
            and "memwall/core/data/chips.csv" in names
        )
        assert not any("course.seed" in n or "assignments" in n for n in names)
        record = wheel.read(next(n for n in names if n.endswith("RECORD"))).decode()
        assert len(record.splitlines()) == len(names)
        code = "import sys; sys.path.insert(0, sys.argv[1]); import memwall_classroom.reading.selfcheck as s; print(s.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert str(path) in done.stdout


def test_install_from_an_address_of_the_teachers(tmp_path):
    address = "https://example.org/memwall-1.0.0-py3-none-any.whl"
    made = list(make_papers(SET, ROSTER, SEED, tmp_path, install=address))
    assert len(made) == 3 and not list(tmp_path.glob("*.whl"))
    assert f"%pip install --quiet {address}" in made[0].read_text(encoding="utf-8")


# ---------------------------------------------------------------- the self-check


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("", "no answer yet"),
        ("  ", "no answer yet"),
        ("12.5 ms", "reads as 12.5 ms. Well formed."),
        ("12.5", "The unit is missing"),
        (12.5, "The unit is missing"),
        ("12.5 GB", "an amount of data"),
        ("12.5 gb", "no unit known"),
        ("nan", "not a finite number"),
        ("500 days", "implausible size"),
        (None, "between the quotes"),
        (["12 ms"], "between the quotes"),
    ],
)
def test_the_self_check_tells_form_and_nothing_else(answer, told):
    assert told in selfcheck.report(answer, unit="ms", least="1 us", most="1 h")


def test_the_self_check_says_the_same_of_right_and_wrong(capsys):
    for text in (key()["q1"], "1.234 ms"):
        selfcheck.check("q1", text, unit="ms", least="1 us", most="1 h")
    lines = capsys.readouterr().out.splitlines()
    assert all(line.endswith("Well formed.") for line in lines)
    symbols = {"N": "1", "w": "B", "W": "B/s", "R": "$/s"}
    for text in ("N*w/W", "17*w/W"):
        assert selfcheck.report(text, unit="s", symbols=symbols).endswith("Well formed.")
    assert "unit comes out as B" in selfcheck.report("N*w", unit="s", symbols=symbols)
    assert "units do not fit" in selfcheck.report("N + w", unit="s", symbols=symbols)
    assert "option B" in selfcheck.report("b", options="ABCD")
    assert "one letter" in selfcheck.report("E", options="ABCD")


def test_the_self_check_imports_no_key_and_no_plots():
    code = (
        "import sys; from memwall_classroom.reading.selfcheck import check; check('q', '1 s', unit='s', least='1 ms', most='1 h');"
        "print([m for m in ('matplotlib', 'sympy', 'memwall_classroom.marking.grading') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# ---------------------------------------------------------------- learning platforms


def lms_class(tmp_path, names, lms):
    roster = Roster((
        Student("ada", "Ada Lovelace", {"canvas_id": "1001", "email": "ada@example.org", "section": "Tue"}),
        Student("ben", "Ben Bitdiddle", {"canvas_id": "1002", "email": "ben@example.org"}),
    ))  # fmt: skip
    for student, name in names.items():
        save(tmp_path / "in" / Path(name).parent, paper(student), name=Path(name).name)
    return grade(SET, roster, tmp_path / "in", SEED, lms=lms, quiet=True)


def test_canvas(tmp_path):
    found = lms_class(
        tmp_path,
        {
            "ada": "lovelaceada_1001_77_tiny_ada.ipynb",
            "ben": "bitdiddleben_LATE_1002_78_tiny_ada-1.ipynb",
        },
        "canvas",
    )
    assert [row.score for row in found.rows] == [FULL, FULL]
    write_all(found, tmp_path / "out", lms="canvas")
    lines = rows(tmp_path / "out" / "scores_canvas.csv")
    assert list(lines[0])[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert lines[0]["Student"].strip() == "Points Possible" and lines[0]["tiny total"] == str(
        FULL + 5
    )
    assert (lines[1]["Student"], lines[1]["ID"], lines[1]["tiny total"]) == (
        "Lovelace, Ada",
        "1001",
        str(FULL),
    )


def test_moodle(tmp_path):
    found = lms_class(
        tmp_path,
        {
            "ada": "Ada Lovelace_12345_assignsubmission_file_/tiny_ada.ipynb",
            "ben": "Ben Bitdiddle_12346_assignsubmission_file_tiny_ben.ipynb",
        },
        "moodle",
    )
    assert [row.score for row in found.rows] == [FULL, FULL]
    write_all(found, tmp_path / "out", lms="moodle")
    line = rows(tmp_path / "out" / "scores_moodle.csv")[0]
    assert (line["Email address"], line["ID number"], line["tiny total"]) == (
        "ada@example.org",
        "ada",
        str(FULL),
    )


def test_gradescope(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "submission_metadata.yml").write_text(
        "submission_77:\n  :submitters:\n  - :name: Ada\n    :sid: 'ada'\n    :email: x@example.org\n"
        "submission_78:\n  :submitters:\n  - :name: Ben\n    :sid: \n    :email: ben@example.org\n"
    )
    found = lms_class(
        tmp_path, {"ada": "submission_77/a.ipynb", "ben": "submission_78/b.ipynb"}, "gradescope"
    )
    assert [row.score for row in found.rows] == [FULL, FULL]
    # it imports no scores, so no file pretends to be one
    write_all(found, tmp_path / "out", lms="gradescope")
    assert not list((tmp_path / "out").glob("scores_*.csv"))
    assert [r["total"] for r in rows(tmp_path / "out" / "scores.csv")] == [str(FULL), str(FULL)]


def test_on_a_platform_only_its_own_names_count(tmp_path):
    # the original file name is the student's; the number before it is the platform's
    found = lms_class(tmp_path, {"ada": "bitdiddleben_1002_78_tiny_ada.ipynb"}, "canvas")
    assert [(r.student.id, r.status) for r in found.rows] == [("ada", "missing"), ("ben", "held")]
    save(tmp_path / "in", paper(), name="tiny_ada.ipynb")
    assert find_submissions(tmp_path / "in", Roster((ADA,)), SET, "canvas").by_student == {}


def test_plain_names_that_people_give():
    import tempfile

    for name in (
        "ada.ipynb",
        "tiny_ada.ipynb",
        "TINY_ADA.ipynb",
        "tiny_ada (1).ipynb",
        "tiny_ada copy.ipynb",
        "tiny_ada-Copy1.ipynb",  # JupyterLab's
        "tiny_ada.ipynb.json",  # some browsers'
        "tiny_ada(2).ipynb.txt",
        "ada/x.ipynb",
    ):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            save(folder / Path(name).parent, paper(), name=Path(name).name)
            assert marked(folder)["ada"].score == FULL, name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_roster_as_spreadsheets_save_it(tmp_path, encoding, delimiter):
    path = tmp_path / "roster.csv"
    text = "\r\n".join(
        delimiter.join(r) for r in (["ID", "First name", "Last name"], ["max", "Max", "Plänck"])
    )
    path.write_bytes(text.encode(encoding))
    assert [(s.id, s.name) for s in read_roster(path).students] == [("max", "Max Plänck")]


def test_without_a_roster_no_class_is_made_up(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["make", "set1"]) == 2
    assert "no roster roster.csv" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_names_are_cut_where_tables_want_two():
    for student, names in (
        (Student("a", "Ada King Lovelace"), ("Ada King", "Lovelace")),
        (Student("a", "Eve"), ("Eve", "")),
        (Student("a", "", {"first": "Ada", "last_name": "King"}), ("Ada", "King")),
        (Student("a"), ("", "")),
    ):
        assert student.first_last() == names


def test_the_example_roster_is_one():
    assert len(read_roster(ASSIGNMENTS / "roster.csv")) >= 5


def test_score_tables_have_a_column_for_each_question(tmp_path):
    save(tmp_path, paper())
    header, lines = score_table(grade(SET, ROSTER, tmp_path, SEED, quiet=True))
    assert header[:6] == ["student", "name", "q1", "q2", "q3", "h1"]
    assert lines[0][:6] == ["ada", "Ada Lovelace", 2, 3, 4, ""]
    assert all(len(line) == len(header) for line in lines)


def test_a_marker_that_fails_costs_one_question_and_says_so(tmp_path, monkeypatch):
    from memwall_classroom.reading.answers import Number

    def broken(self, text):
        raise ZeroDivisionError

    monkeypatch.setattr(Number, "mark", broken)
    save(tmp_path, paper())
    row = marked(tmp_path)["ada"]
    assert (row.score, row.status) == (3, "marked")
    assert row.notes[0] == "q1: the marker failed (ZeroDivisionError), mark it by hand"


def test_the_benchmark_marks_an_honest_class_as_due(tmp_path):
    results = bench.run(["set1"], students=6, folder=str(tmp_path))
    assert results["sets"]["set1"]["scores_as_due"] is True
    assert "6 honest submissions" in bench.table(results)
    assert list(tmp_path.iterdir()) == []


def test_nbgrader_is_asked_for_only_when_used(course, capsys):
    assert main(["make", "set1", "--nbgrader", "nbcourse"]) == 0
    source = json.loads(Path("nbcourse/source/set1/set1.ipynb").read_text(encoding="utf-8"))
    cells = {
        c["metadata"]["nbgrader"]["grade_id"]: c["metadata"]["nbgrader"]["points"]
        for c in source["cells"]
        if "nbgrader" in c["metadata"]
    }
    labels = load_set("set1").labels()
    assert cells == {label: q.points for label, q in labels.items()}
    assert sorted(p.parent.name for p in Path("nbcourse/papers").glob("*/set1.ipynb")) == [
        "ada",
        "ben",
        "eve",
    ]
    assert len(rows(Path("nbcourse/students.csv"))) == 3
    (wheel,) = Path("nbcourse/papers").glob("*.whl")  # not whatever an index calls by this name
    for path in Path("nbcourse").rglob("*.ipynb"):
        assert f"%pip install --quiet {wheel.name}\\n" in path.read_text(encoding="utf-8")


# ---------------------------------------------------------------- the teaching page


def test_the_teaching_page_tells_the_truth_about_the_sets():
    page = (ASSIGNMENTS.parent / "book" / "teaching.md").read_text(encoding="utf-8")
    for name in ("set1", "set2", "set3", "set4", "set5", "project"):
        set = load_set(name)
        machine = sum(not q.by_hand for q in set.questions)
        chapters = ", ".join(map(str, set.chapters))
        row = f"| {name} | {chapters} | {machine} + 1 | {set.points} | {set.hand_points} | {set.minutes} |"
        assert row in page, row
        for item in set.paper("ada", SEED).by_hand:
            lines = ", ".join(f"{c.name} {c.points}" for c in item.asked.rubric)
            assert f"| {name}, {item.question.title} | {lines} |" in page


def test_the_teaching_page_has_the_chapters_minutes():
    root = ASSIGNMENTS.parent
    page = (root / "book" / "teaching.md").read_text(encoding="utf-8")
    for path, minutes in re.findall(r"\]\(\.\./(notebooks/\w+\.ipynb)\) \| (\d+) \|", page):
        cells = json.loads((root / path).read_text(encoding="utf-8"))["cells"]
        texts = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        assert re.findall(r"about (\d+) minutes", "\n".join(texts)) == [minutes], path


def test_every_command_of_the_teaching_page_exists(course, capsys):
    root = ASSIGNMENTS.parent
    told = (root / "book" / "teaching.md").read_text(encoding="utf-8")
    told += (root / "assignments" / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"python -m memwall_classroom (\w+)", told))
    assert commands == {"make", "grade", "stats", "key", "read", "pools", "check"}
    for option in set(re.findall(r"`?(--[a-z]+(?:-[a-z]+)?)", told)):
        assert option in {
            "--lms", "--reveal", "--install", "--nbgrader", "--due", "--late-percent", "--attempt", "--attempts", "--student",
            "--unit", "--formula", "--variants",
        }, option  # fmt: skip


def test_every_make_target_of_the_teaching_page_exists():
    root = ASSIGNMENTS.parent
    told = (root / "book" / "teaching.md").read_text(encoding="utf-8")
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make ([a-z-]+)", told))
    assert {"papers", "marks", "test-nbgrader"} <= targets
    assert all(f"\n{target}:" in makefile for target in targets)


def test_the_example_set_of_the_readme_works(tmp_path):
    from memwall_classroom.marking import checking

    text = (ASSIGNMENTS / "README.md").read_text(encoding="utf-8")
    code = next(c for c in re.findall(r"```python\n(.*?)```", text, re.S) if "@SET.question" in c)
    (tmp_path / "trains.py").write_text(code, encoding="utf-8")
    (trial,) = checking.try_set(load_set(tmp_path / "trains.py"), 60)
    assert trial.faults == [] and trial.papers == 60
