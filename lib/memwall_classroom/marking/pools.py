"""Questions as pools of variants for learning platforms, in QTI 1.2.

One bank for each question, one item for each variant, and a quiz that draws one of each bank for
each student. What a platform imports is a package (zip): `imsmanifest.xml`, one file a bank, one for
the quiz. A number is asked in one unit and accepted within the question's tolerance, a choice
is a choice; a formula and an essay are texts that a person marks, since QTI 1.2 compares no algebra.

Elements, their order and their attributes are those of the format's own definition, version 1.2.
Two things are Canvas's: the metadata `question_type`, `points_possible` and `bank_title`, which its
importer reads, and `points_per_item` in the extension that the format leaves open.

The package holds the keys: it is the teacher's, as the seed is.
"""

from __future__ import annotations

import hashlib
import html
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

from ..reading.answers import Choice, Formula, Number, Written
from .sets import Item, ProblemSet, Question

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
TYPES = {
    Number: "numerical_question",
    Choice: "multiple_choice_question",
}  # all others: essay_question
MADE = (1980, 1, 1, 0, 0, 0)  # in the zip: the same pools are the same file


def write(set: ProblemSet, seed: bytes, path: Path, variants: int = 20) -> Path:
    """Write the package of a set's pools."""
    banks = {label: bank(set, label, question, seed, variants) for label, question in set.labels().items()}  # fmt: skip
    files = {f"{set.name}_{label}.xml": _text(tree) for label, tree in banks.items()}
    files[f"{set.name}_quiz.xml"] = _text(quiz(set))
    files = {"imsmanifest.xml": _text(_manifest(set, list(files))), **files}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(zipfile.ZipInfo(name, MADE), content, zipfile.ZIP_DEFLATED)
    return path


def bank(set: ProblemSet, label: str, question: Question, seed: bytes, variants: int) -> ET.Element:
    """A question as a bank: so many variants, no two with the same text."""
    root = ET.Element("questestinterop", {"xmlns": QTI})
    made = ET.SubElement(root, "objectbank", {"ident": _ident(set.name, label)})
    _fields(ET.SubElement(made, "qtimetadata"), {"bank_title": f"{set.name} {label}: {question.title}"})  # fmt: skip
    seen: dict[str, None] = {}
    for n in range(20 * variants):
        if len(seen) == variants:
            break
        asked = set.ask(question, f"pool\0{n}", seed)
        if asked.text not in seen:
            seen[asked.text] = None
            made.append(_item(Item(label, question, asked), _ident(set.name, label, asked.text)))
    return root


def quiz(set: ProblemSet) -> ET.Element:
    """The quiz: for each question a section that draws one item of its bank."""
    root = ET.Element("questestinterop", {"xmlns": QTI})
    names = {"ident": _ident(set.name, "quiz"), "title": f"{set.name}: {set.title}"}
    whole = ET.SubElement(ET.SubElement(root, "assessment", names), "section", {"ident": "root_section"})  # fmt: skip
    for label, question in set.labels().items():
        names = {"ident": _ident(set.name, label, "draw"), "title": question.title}
        ordering = ET.SubElement(ET.SubElement(whole, "section", names), "selection_ordering")
        selection = ET.SubElement(ordering, "selection")
        ET.SubElement(selection, "sourcebank_ref").text = _ident(set.name, label)
        ET.SubElement(selection, "selection_number").text = "1"
        extension = ET.SubElement(selection, "selection_extension")
        ET.SubElement(extension, "points_per_item").text = f"{question.points:.1f}"
    return root


def _item(item: Item, ident: str) -> ET.Element:
    asked = item.asked
    root = ET.Element("item", {"ident": ident, "title": item.question.title})
    metadata = ET.SubElement(ET.SubElement(root, "itemmetadata"), "qtimetadata")
    kind = TYPES.get(type(asked), "essay_question")
    _fields(metadata, {"question_type": kind, "points_possible": f"{item.question.points:.1f}"})
    presentation = ET.SubElement(root, "presentation")
    _material(presentation, _page(asked))
    if isinstance(asked, Choice):
        response = ET.SubElement(presentation, "response_lid", {"ident": "response1", "rcardinality": "Single"})  # fmt: skip
        choices = ET.SubElement(response, "render_choice")
        for i, text in enumerate(asked.options):
            _material(
                ET.SubElement(choices, "response_label", {"ident": "ABCDEF"[i]}), _markup(text)
            )
    else:
        response = ET.SubElement(presentation, "response_str", {"ident": "response1", "rcardinality": "Single"})  # fmt: skip
        kind_of_text = {"fibtype": "Decimal"} if isinstance(asked, Number) else {}
        field = ET.SubElement(response, "render_fib", kind_of_text)
        ET.SubElement(field, "response_label", {"ident": "answer1", "rshuffle": "No"})
    processing = ET.SubElement(root, "resprocessing")
    outcomes = ET.SubElement(processing, "outcomes")
    ET.SubElement(outcomes, "decvar", {"maxvalue": "100", "minvalue": "0", "varname": "SCORE", "vartype": "Decimal"})  # fmt: skip
    condition = ET.SubElement(processing, "respcondition", {"continue": "No"})
    variable = ET.SubElement(condition, "conditionvar")
    if isinstance(asked, Number):
        _within(variable, asked)
    elif isinstance(asked, Choice):
        ET.SubElement(variable, "varequal", {"respident": "response1"}).text = asked.letter
    else:
        ET.SubElement(variable, "other")  # a person marks it
        return root
    ET.SubElement(condition, "setvar", {"action": "Set", "varname": "SCORE"}).text = "100"
    return root


def _within(variable: ET.Element, asked: Number) -> None:
    """The key in the unit asked, or anything within the tolerance around it."""
    value = asked.answer / asked.measure.size
    slack = 0.4 if asked.whole else asked.tolerance * abs(value)
    either = ET.SubElement(variable, "or")
    ET.SubElement(either, "varequal", {"respident": "response1"}).text = _decimal(value)
    both = ET.SubElement(either, "and")
    ET.SubElement(both, "vargte", {"respident": "response1"}).text = _decimal(value - slack)
    ET.SubElement(both, "varlte", {"respident": "response1"}).text = _decimal(value + slack)


def _decimal(value: float) -> str:
    """Six figures without an exponent, which not every platform reads."""
    return f"{Decimal(f'{value:.6g}'):f}"


def _page(asked: Number | Choice | Formula | Written) -> str:
    """The question's text as HTML, with what its form adds."""
    text = _markup(asked.text)
    if isinstance(asked, Number):
        text += f"<p>Answer with the number alone{f', in {html.escape(asked.unit)}' if asked.unit else ''}.</p>"  # fmt: skip
    elif isinstance(asked, Formula):
        rows = "".join(
            f"<tr><td><code>{n}</code></td><td>{html.escape(x.meaning)}</td><td>{html.escape(x.unit)}</td></tr>"
            for n, x in asked.letters.items()
        )
        text += f"<table><tr><th>symbol</th><th>meaning</th><th>unit</th></tr>{rows}</table>"
    elif isinstance(asked, Written):
        rows = "".join(f"<li>{html.escape(c.name)}: {c.points}</li>" for c in asked.rubric)
        text += f"<p>Points:</p><ul>{rows}</ul>"
    return text


def _markup(text: str) -> str:
    """The little Markdown that questions use, as HTML: paragraphs, lists, code."""
    blocks = []
    for block in text.replace("\\$", "$").strip().split("\n\n"):
        lines = [re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(line)) for line in block.splitlines()]  # fmt: skip
        if all(line.startswith("- ") for line in lines):
            blocks.append(f"<ul>{''.join(f'<li>{line[2:]}</li>' for line in lines)}</ul>")
        else:
            blocks.append(f"<p>{' '.join(lines)}</p>")
    return "".join(blocks)


def _material(parent: ET.Element, text: str) -> None:
    ET.SubElement(ET.SubElement(parent, "material"), "mattext", {"texttype": "text/html"}).text = text  # fmt: skip


def _fields(parent: ET.Element, values: dict[str, str]) -> None:
    for label, entry in values.items():
        field = ET.SubElement(parent, "qtimetadatafield")
        ET.SubElement(field, "fieldlabel").text = label
        ET.SubElement(field, "fieldentry").text = entry


def _manifest(set: ProblemSet, names: list[str]) -> ET.Element:
    root = ET.Element("manifest", {"identifier": _ident(set.name, "package"), "xmlns": PACKAGE})
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, "schema").text = "IMS Content"
    ET.SubElement(metadata, "schemaversion").text = "1.1.3"
    ET.SubElement(root, "organizations")
    resources = ET.SubElement(root, "resources")
    for name in names:
        resource = ET.SubElement(
            resources,
            "resource",
            {"identifier": _ident(name), "type": "imsqti_xmlv1p2", "href": name},
        )
        ET.SubElement(resource, "file", {"href": name})
    return root


def _ident(*parts: str) -> str:
    """A name that is the same whenever the pools are written: importing again replaces."""
    return f"i{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:31]}"


def _text(root: ET.Element) -> bytes:
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
