"""Mutation check: change one operator or constant of the library at a time and ask its unit tests.

    python tools/mutate.py                    a sample of every numeric module, about five minutes
    python tools/mutate.py --all racks        every mutant of one module
    python tools/mutate.py --seed 3           another sample

Each mutant is a syntax tree that only a forked process imports; no file is written. It meets the
module's own tests, those of whoever imports it and its doctests, quickest first, until one fails. A survivor is a hole in the
tests, or harmless: then it stands in `tools/mutants_accepted.txt` with the reason.
"""

from __future__ import annotations

import argparse
import ast
import copy
import csv
import functools
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "MPLBACKEND": "agg"}  # fmt: skip

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = Path(__file__).with_name("mutants_accepted.txt")
LIBRARY = ROOT / "lib" / "memwall"
# read here and not by the library, which only the children may import: it is what they change
with (LIBRARY / "core" / "chapters.csv").open(encoding="utf-8", newline="") as table:
    CHAPTERS = {row["slug"]: row["modules"].split() for row in csv.DictReader(table)}
# what reads, runs and times has tests that ask for orderings only
TIMED = ("runs", "measure", "validate")
MODULES = (
    "units",
    "algebra",
    *(m for modules in CHAPTERS.values() for m in modules if m not in TIMED),
)

SWAPS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,), ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.BitXor: (ast.BitAnd,),
    ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,),
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
BROWSER = re.compile(r"mark\.book|\bbrowser\b")
PAIRS = [("minimum", "maximum"), ("min", "max"), ("floor", "ceil"), ("any", "all"), ("argmin", "argmax")]  # fmt: skip
NAMES = {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}


@dataclass(frozen=True)
class Mutant:
    module: str
    key: str  # what `mutants_accepted.txt` knows it by: place | source line | change
    line: int
    node: int  # the changed node's number in ast.walk order
    variant: int

    def tree(self) -> ast.Module:
        tree, _ = parsed(self.module)
        node = list(ast.walk(tree))[self.node]
        setattr(node, *list(changes(node))[self.variant])
        return ast.fix_missing_locations(tree)


def changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Every single change of a node: a field and its other value."""
    match node:
        case ast.Constant(value=bool()):
            return
        case ast.Constant(value=int() | float() as number):
            near = (number + 1, number - 1) if isinstance(number, int) else (number * 2, number / 2)
            yield from (("value", other) for other in (near if number else (number + 1,)))
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op):
            yield from (("op", other()) for other in SWAPS.get(type(op), ()))
        case ast.Compare(ops=[op]):
            yield from (("ops", [other()]) for other in SWAPS.get(type(op), ()))
        case ast.UnaryOp(op=ast.USub()):
            yield "op", ast.UAdd()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "operand", ast.UnaryOp(ast.Not(), operand)
        case ast.Name(id=name) if name in NAMES:
            yield "id", NAMES[name]
        case ast.Attribute(attr=name) if name in NAMES:
            yield "attr", NAMES[name]
        case ast.Return(value=ast.Constant(value=None)):
            return
        case ast.Return(value=ast.expr() as value):
            doubled = ast.BinOp(value, ast.Mult(), ast.Constant(2))
            yield "value", doubled if getattr(node, "of_formula", False) else ast.Constant(None)


def reads(node: ast.AST, field: str, value: object) -> str:
    """A change as text."""
    after = copy.copy(node)
    setattr(after, field, value)
    return " ".join(f"{ast.unparse(node)} -> {ast.unparse(after)}".split())


def home(module: str) -> Path:
    """The module's file, whatever room it is in."""
    rooms = (
        LIBRARY / room / f"{module}.py" for room in ("core", "catalog", "formulas", "experiments")
    )
    return next(path for path in rooms if path.exists())


def parsed(module: str) -> tuple[ast.Module, str]:
    """The module's tree, return statements of formulas marked."""
    source = home(module).read_text("utf-8")
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and any(ast.unparse(d) == "formula" for d in function.decorator_list):  # fmt: skip
            for node in ast.walk(function):
                node.of_formula = True  # type: ignore[attr-defined]
    return tree, source


def mutants(module: str) -> list[Mutant]:
    """All of a module's mutants; messages, annotations and printed text are left alone."""
    tree, source = parsed(module)
    number = {id(node): k for k, node in enumerate(ast.walk(tree))}
    lines, found = source.splitlines(), []

    def visit(node: ast.AST, place: str) -> None:
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.ImportFrom):
            return
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            place = f"{place}.{node.name}"
        for variant, change in enumerate(changes(node)):
            at: int = node.lineno  # type: ignore[attr-defined]
            key = f"{place} | {' '.join(lines[at - 1].split())} | {reads(node, *change)}"
            found.append(Mutant(module, key, at, number[id(node)], variant))
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        visit(child, place)

    visit(tree, module)
    return found


class Import(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hands the changed tree to whoever imports the module."""

    def __init__(self, module: str, tree: ast.Module):
        self.name, self.tree = f"memwall.{home(module).parent.name}.{module}", tree
        self.path = str(home(module))

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None  # fmt: skip

    def exec_module(self, module):
        exec(compile(self.tree, self.path, "exec"), module.__dict__)


class Quick:
    """A pytest plugin: few examples, no shrinking, and the quickest tests first."""

    def __init__(self, hook: list[Import], seconds: dict[str, float]):
        self.hook, self.known, self.seconds = hook, seconds, Counter()

    def pytest_sessionstart(self):
        from hypothesis import Phase, settings

        sys.meta_path[:0] = self.hook  # before pytest's own, which would read the file

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("quick", settings.get_profile("book"), max_examples=25, database=None, phases=phases)  # fmt: skip
        settings.load_profile("quick")

    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self.known.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] += report.duration


@functools.cache
def tests(module: str) -> list[str]:
    """Its own test file, those of its chapter and those that import it, without a browser; and its doctests."""
    chapter = next(([*m, slug] for slug, m in CHAPTERS.items() if module in m), [module])
    own = [ROOT / "tests" / f"test_{m}.py" for m in (module, *chapter)]
    if own[0].exists():
        own = own[:1]
    imported = re.compile(rf"^\s*(from|import) [^#]*\b{module}\b|^    {module},$", re.M)
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        text = path.read_text("utf-8")
        if imported.search(text) and not BROWSER.search(text):
            own.append(path)
    return [str(p.relative_to(ROOT)) for p in dict.fromkeys((*own, home(module))) if p.exists()]


def ask(module: str, mutant: Mutant | None, seconds: dict[str, float], report: Path) -> int:
    """Import the mutant, or the module as it is, and run the tests. 0 says that all passed."""
    import pytest

    plugin = Quick([Import(module, mutant.tree())] if mutant else [], seconds)
    arguments = ["-x", "-q", "-p", "no:cacheprovider", "--rootdir", ROOT, *tests(module)]
    done = pytest.main([str(a) for a in arguments], plugins=[plugin])
    if not mutant:
        report.write_text(json.dumps(plugin.seconds))
    return int(done)


def fork(limit: float, *arguments) -> int:
    """`ask` in a silent child of so many seconds of computing and 6 GiB; its process id."""
    child = os.fork()
    if child:
        return child
    code = 3
    try:
        signal.setitimer(signal.ITIMER_PROF, limit)  # its own work, whatever else the machine does
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        code = ask(*arguments)
    finally:
        os._exit(code)


def check(chosen: list[Mutant], jobs: int, scratch: Path) -> dict[Mutant, str]:
    """Each mutant's fate: caught, slow (ended by the clock) or survived."""
    fates: dict[Mutant, str] = {}
    running: dict[int, Mutant] = {}
    seconds: dict[str, dict[str, float]] = {}
    for module in {mutant.module for mutant in chosen}:
        report = scratch / f"{module}.json"
        _, status = os.waitpid(fork(600, module, None, {}, report), 0)
        if status:
            sys.exit(f"the tests of {module} do not pass as they are: {' '.join(tests(module))}")
        seconds[module] = json.loads(report.read_text())

    def reap() -> None:
        child, status = os.wait()
        fate = "slow" if os.WIFSIGNALED(status) else "caught" if status else "survived"
        fates[running.pop(child)] = fate
        print(f"\r{len(fates)} of {len(chosen)}", end="", file=sys.stderr, flush=True)

    for mutant in chosen:
        if len(running) >= jobs:
            reap()
        known = seconds[mutant.module]
        running[fork(15 + 5 * sum(known.values()), mutant.module, mutant, known, scratch)] = mutant
    while running:
        reap()
    print(file=sys.stderr)
    return fates


def accepted() -> dict[str, str]:
    """Harmless survivors: a line each, `key  # reason`."""
    pairs = (line.rpartition("  # ") for line in ACCEPTED.read_text("utf-8").splitlines() if " | " in line)  # fmt: skip
    return {key.strip(): reason for key, _, reason in pairs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)  # fmt: skip
    parser.add_argument("modules", nargs="*", default=MODULES, help=f"of {', '.join(MODULES)}")
    parser.add_argument("--sample", type=int, default=24, help="mutants of each module (24)")
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--aim", type=float, default=0.9, help="fail below this share (0.9)")
    options = parser.parse_args()

    # what every child would import anew; the library itself is left to the children
    for name in ("hypothesis.extra.numpy", "matplotlib.pyplot", "pytest", "sympy.physics.units"):
        importlib.import_module(name)

    start, harmless, chosen = time.time(), accepted(), []
    for module in options.modules:
        every = [m for m in mutants(module) if m.key not in harmless]
        some = min(len(every), len(every) if options.all else options.sample)
        chosen += random.Random(f"{options.seed} {module}").sample(every, some)
    with tempfile.TemporaryDirectory() as scratch:
        fates = check(chosen, options.jobs, Path(scratch))
    survivors = sorted((m for m, fate in fates.items() if fate == "survived"), key=lambda m: (m.module, m.line))  # fmt: skip
    for m in survivors:
        print(f"survived, line {m.line}: {m.key}")
    print(
        f"\n{'module':<12}{'mutants':>8}{'tried':>7}{'caught':>8}{'slow':>6}{'share':>8}{'accepted':>10}"
    )
    for module in options.modules:
        mine = [fate for m, fate in fates.items() if m.module == module]
        caught = sum(fate != "survived" for fate in mine)
        known = sum(key.split(" | ")[0].split(".")[0] == module for key in harmless)
        print(f"{module:<12}{len(mutants(module)):>8}{len(mine):>7}{caught:>8}{mine.count('slow'):>6}{caught / len(mine):>8.1%}{known:>10}")  # fmt: skip
    share = 1 - len(survivors) / len(fates)
    print(f"{'all':<12}{'':>8}{len(fates):>7}{len(fates) - len(survivors):>8}{list(fates.values()).count('slow'):>6}{share:>8.1%}{len(harmless):>10}   {time.time() - start:.0f} s")  # fmt: skip
    return share < options.aim


if __name__ == "__main__":
    sys.exit(main())
