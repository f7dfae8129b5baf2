"""The round trip through nbgrader, with its own commands; `make test-nbgrader` runs it.

It needs an environment of its own and is not part of the usual tests: pytest finds it only when
it is named, and the tests' conftest wants packages that nbgrader's environment lacks. By hand:

    python -m venv _build/nbgrader
    _build/nbgrader/bin/pip install -r requirements-nbgrader.in --editable .
    _build/nbgrader/bin/python -m pytest --noconftest tests/nbgrader_roundtrip.py
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

# nbgrader calls tools of its own environment by name
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run(*command, cwd):
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(cwd), "HOME": str(cwd)}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def nbgrader(*arguments, cwd):
    return run(sys.executable, "-m", "nbgrader", *arguments, cwd=cwd)


def classroom(*arguments, cwd):
    return run(sys.executable, "-m", "memwall_classroom", *arguments, cwd=cwd)


def fill(path, answers):
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["id"] in answers:
            cell["source"] = cell["source"].replace('""', json.dumps(answers[cell["id"]]), 1)
    return json.dumps(content)


def test_scores_travel_through_nbgrader(tmp_path):
    from memwall_classroom.marking.course import read_seed
    from memwall_classroom.marking.sets import load_set

    (tmp_path / "roster.csv").write_text(
        "id,name,email\nada,Ada Lovelace,ada@example.org\nben,Ben,\neve,Eve,\n"
    )
    classroom("make", "set1", "--nbgrader", "course", cwd=tmp_path)
    course, set1 = tmp_path / "course", load_set("set1")
    seed = read_seed(tmp_path / "course.seed")

    # nbgrader opens the course, imports the students and registers every question with its points
    nbgrader("db", "student", "import", "students.csv", cwd=course)
    nbgrader("generate_assignment", set1.name, cwd=course)
    assert (course / "release" / "set1" / "set1.ipynb").is_file()
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db", "memwall") as book:
        assert sorted(s.id for s in book.students) == ["ada", "ben", "eve"]
        assert book.find_assignment("set1").max_score == set1.points + set1.hand_points

    # papers come back where nbgrader keeps them: ada's right, ben's with one answer, eve's not at all
    for student, labels in (("ada", None), ("ben", {"q3"})):
        right = {i.label: i.asked.right_answer() for i in set1.paper(student, seed).marked}
        chosen = right if labels is None else {k: right[k] for k in labels}
        folder = course / "submitted" / student / "set1"
        folder.mkdir(parents=True)
        (folder / "set1.ipynb").write_text(fill(course / "papers" / student / "set1.ipynb", chosen))

    # our marker reads nbgrader's folder and fills its gradebook
    told = classroom("grade", "set1", "course/submitted", "--nbgrader", "course", cwd=tmp_path)
    assert "2 marked, 1 missing" in told and "3 students are in the gradebook" in told
    nbgrader("export", cwd=course)
    with (course / "grades.csv").open(newline="") as file:
        scores = {r["student_id"]: float(r["score"]) for r in csv.DictReader(file)}
    points = {label: q.points for label, q in set1.labels().items()}
    assert scores == {"ada": set1.points, "ben": points["q3"], "eve": 0}

    # hand marks, entered in our table, arrive on the second run
    hand = Path(tmp_path / "graded" / "set1" / "hand.csv")
    with hand.open(newline="", encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    for column in [c for c in lines[0] if c.startswith("h1.")]:
        lines[0][column] = "1"
    with hand.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    classroom("grade", "set1", "course/submitted", "--nbgrader", "course", cwd=tmp_path)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "memwall") as book:
        ada = book.find_submission("set1", "ada")
        assert ada.score == set1.points + 4 and not ada.needs_manual_grade
        assert book.find_submission("set1", "ben").needs_manual_grade

    # whoever also runs nbgrader's own autograder finds our scores untouched
    nbgrader("autograde", "set1", cwd=course)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "memwall") as book:
        assert book.find_submission("set1", "ada").score == set1.points + 4
        assert book.find_submission("set1", "ben").score == points["q3"]
