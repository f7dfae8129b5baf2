"""The planner's page without its page: its script answers as Python does, about everything we know."""

import json
import math
import random

import pytest

from memwall import InputError, catalog, planner
from memwall import planner_page as page
from memwall.catalog import engines
from memwall.catalog.names import named
from memwall.core.nouns import Layout, Unknown, Workload
from memwall.formulas import forecast
from memwall.formulas.deployment import deployment
from memwall.formulas.layout import layouts
from memwall.planner_page import trace

CHIPS = [c.name for c in catalog.chips().values() if page.usable(c)]


@pytest.fixture(scope="module")
def ask(browser):
    """Runs JavaScript in a browser with the page's scripts loaded; what the code returns, out of JSON."""
    tab = browser.new_page()
    for script in (page.source("views/explorer/explorer.js"), page.source("views/explorer/config.js"), trace.code(),
                   page.data_script(), page.source("planner_page/search.js")):  # fmt: skip
        tab.add_script_tag(content=script)
    tab.evaluate("window.P = memwallPlan(memwallPlannerData)")

    def run(body, **given):
        text = tab.evaluate(
            f"(given) => JSON.stringify((() => {{ {body} }})(), (k, x) => x === Infinity ? 'inf'"
            " : ArrayBuffer.isView(x) ? [...x] : x)",
            given,
        )
        return json.loads(text)

    yield run
    tab.close()


def alike(a, b, rel=1e-9):
    if a is None or b is None or isinstance(a, str) or isinstance(b, str):
        return str(a) == str(b)
    return math.isclose(a, b, rel_tol=rel, abs_tol=1e-300)


QUESTIONS = 40


def question(draw):
    """A random question, as keyword arguments of `alternatives`."""
    traffic = {"rate": 10 ** draw.uniform(-2, 3)} if draw.random() < 0.6 else {"users": draw.randint(1, 5000)}  # fmt: skip
    return {
        **traffic,
        "prompt": draw.randint(1, 10 ** draw.randint(1, 5)),
        "output": draw.randint(1, 4000),
        "cached": draw.choice([0.0, 0.0, 0.5, 0.93, 1.0]),
        "first_token": 10 ** draw.uniform(-1, 2),
        "token_rate": 10 ** draw.uniform(0, 2),
        "chips": draw.sample(CHIPS, 3),
        "weights": draw.choice(["", "", "fp8", "nvfp4", "gptq", "Q4_K_M", "bf16", "mxfp4"]),
        "cache": draw.choice(["bf16", "fp8"]),
        "engine": draw.choice(["vLLM", "SGLang"]),
        "memory_share": draw.choice([None, 0.8]),
        "batched_tokens": draw.choice([None, 2048, 16384]),
        "max_sequences": draw.choice([None, None, 32]),
        "drafts": draw.choice([0, 0, 1, 3]),
        "acceptance": draw.choice([None, 0.8]),
    }


def test_every_slot_of_every_checkpoint_is_filled_alike(ask):
    names = catalog.checkpoints()
    widths = ["", "fp8", "nvfp4", "Q4_K_M", "bf16", "mxfp4", "gptq"]
    asked = [[n, widths[i % len(widths)], ("bf16", "fp8")[i % 2]] for i, n in enumerate(names)]
    found = ask(
        "return given.asked.map(([model, weights, cache]) => { const m = P.checkpoint({ model, weights, cache });"
        " return [P.vectorOf(m), m.notes]; });",
        asked=asked,
    )
    size = sum(s.split(".")[0] not in trace.NOUNS for s in trace.slots())
    for (name, weights, cache), (slots, notes) in zip(asked, found, strict=True):
        checkpoint = catalog.checkpoint(name, weights, cache)
        own = trace.vector(checkpoint)[:size]
        for slot, mine, theirs in zip(trace.slots(), own, slots, strict=False):
            assert alike("inf" if mine == math.inf else mine, theirs), (name, weights, slot)
        assert notes == list(checkpoint.notes), name


def test_random_deployments_are_python_s_to_nine_digits(ask):
    draw = random.Random(5)
    cases, wanted = [], []
    while len(cases) < 150:
        model, chip = draw.choice(catalog.checkpoints()), draw.choice(CHIPS)
        one, count = catalog.chip(chip), draw.choice([1, 2, 4, 8, 16])
        if not (one.chip_scale_up or one.chip_scale_out) and count > 1:
            continue
        checkpoint = catalog.checkpoint(model, cache=draw.choice(["bf16", "fp8"]))
        system = one.machine(count, 2.5)
        layout, _ = draw.choice(layouts(checkpoint, count, float(system.domain)) or [(None, "")])
        if layout is None:
            continue
        workload = Workload(
            prompt=draw.randint(1, 100_000), output=draw.randint(1, 3000),
            cached=draw.choice([0.0, 0.4, 1.0]), users=draw.randint(1, 3000),
        )  # fmt: skip
        rules = engines.engine("vLLM", float(system.capacity) / count, chip)
        own = deployment(checkpoint, system, layout, workload, rules, forecast.fitted(forecast.class_of(one.kind)))  # fmt: skip
        wanted.append([float(x) for x in trace.flat(own)])
        cases.append({
            "model": model, "cache": "fp8" if checkpoint.groups[0].bytes_per_element < 2 and checkpoint.groups[0].entry else "bf16",
            "chip": chip, "count": count,
            "layout": {n: int(getattr(layout, n)) for n in ("tp", "dp", "ep", "pp")},
            "prompt": workload.prompt, "output": workload.output, "cached": workload.cached, "users": workload.users,
        })  # fmt: skip
        if any(g.bytes_per_element < 2 for g in checkpoint.groups):
            cases[-1]["cache"] = "fp8"
    found = ask(
        "return given.cases.map((c) => { const q = P.prepare({ ...c, rents: { [c.chip]: 2.5 / 3600 } });"
        " const chip = P.data.chips.find((x) => x.name === c.chip);"
        " return P.runAt(P.job(q, chip, c.count, c.layout), c.users, new Float64Array(P.data.results.length)); });",
        cases=cases,
    )
    for case, mine, theirs in zip(cases, wanted, found, strict=True):
        for name, a, b in zip(trace.results(), mine, theirs, strict=True):
            assert alike("inf" if a == math.inf else a, b), (case, name, a, b)


def test_layouts_and_their_refusals_are_python_s(ask):
    draw = random.Random(2)
    cases = [[n, draw.choice([1, 2, 3, 4, 6, 8, 16, 32, 64, 72]), draw.choice([1, 8, 64])] for n in catalog.checkpoints()]  # fmt: skip
    found = ask("return given.cases.map(([model, n, d]) => P.layouts(P.checkpoint({ model }), n, d));", cases=cases)  # fmt: skip
    for (name, chips, domain), theirs in zip(cases, found, strict=True):
        mine = layouts(catalog.checkpoint(name), chips, domain)
        wanted = [[*(getattr(c, n) for n in ("tp", "dp", "ep", "pp")), why] for c, why in mine]
        assert [[t["tp"], t["dp"], t["ep"], t["pp"], t["why"]] for t in theirs] == wanted, name
    odd = [{"tp": draw.choice([1, 2, 3, 5, 8, 16]), "dp": draw.choice([1, 2, 8]), "ep": draw.choice([1, 4, 16, 512]),
            "pp": draw.choice([1, 2, 200])} for _ in cases]  # fmt: skip
    said = ask("return given.cases.map(([model], i) => P.whyNot(P.checkpoint({ model }), given.odd[i]));", cases=cases, odd=odd)  # fmt: skip
    from memwall.formulas.layout import check_layout

    for (name, *_), layout, theirs in zip(cases, odd, said, strict=True):
        try:
            check_layout(catalog.checkpoint(name), Layout(**layout))
            mine = ""
        except InputError as reason:
            mine = str(reason)
        assert theirs == mine


def test_random_questions_find_the_answers_of_python(ask):
    draw = random.Random(11)
    cases = [(draw.choice(catalog.checkpoints()), question(draw)) for _ in range(QUESTIONS)]
    found = ask(
        "return given.cases.map(([model, q]) => P.alternatives({ ...q, model, sequences: q.max_sequences ?? undefined,"
        " rents: {}, chips: q.chips.map((n) => P.data.chips.find((c) => c.name === n)) })"
        ".filter((o) => o.fails !== `no layout divides the heads of ${P.checkpoint({ model }).name}`)"
        ".map((o) => ({ ...o, work: 0 })));",
        cases=cases,
    )  # fmt: skip
    served = 0
    for (model, asked), theirs in zip(cases, found, strict=True):
        mine = planner.alternatives(model, **asked)
        assert len(mine) == len(theirs), (model, asked)
        key = {
            (t["chip"], t["count"], *(t["layout"][n] for n in ("tp", "dp", "pp"))): t
            for t in theirs
        }
        for a in mine:
            b = key[a.chip, int(a.layout.chips), a.layout.tp, a.layout.dp, a.layout.pp]
            assert a.fails == b["fails"], (model, asked, a)
            if a.fails:
                continue
            served += 1
            assert (a.chips, a.replicas, a.users, a.limit) == (
                b["chips"],
                b["replicas"],
                b["users"],
                b["limit"],
            ), (model, asked, a, b)
            assert list(a.replicas_band) == b["replicasBand"]
            assert alike(a.busy, b["busy"]) and alike(a.dollars_per_second, b["dollars"])
            assert alike(a.busy_band[0], b["busyBand"][0])
            flat = trace.flat(a.result)
            for name, x, y in zip(trace.results(), flat, b["result"], strict=True):
                if isinstance(x, Unknown):  # no rent, no price: the page then shows none
                    assert b["dollars"] is None and name.endswith("_cost")
                    continue
                assert alike(float(x), y), (name, x, y)
        prices = [t["dollars"] for t in theirs if not t["fails"] and t["dollars"] is not None]
        assert prices == sorted(prices)
    assert served > 100


def test_names_are_read_as_python_reads_them(ask):
    draw = random.Random(5)
    ends = ["", "-Instruct", "-2507", "-Thinking-2507", "-FP8", "-nvfp4", "-FP4-v2", "-AWQ", "_it", "-MXFP4-Preview",
            "-GGUF", "-Thinking", " chat", "-Q4_K_M", "-w4a16", "-FP8-KV", "-"]  # fmt: skip
    rows = [
        n
        for row in catalog.table("checkpoints")
        for n in (row["name"], *row["aliases"].split("|"))
        if n
    ]
    said = [
        draw.choice(["", "", "org/", "Meta-", "meta-llama/Meta-"]) + draw.choice(rows)
        + draw.choice(ends) + draw.choice(ends)
        for _ in range(400)
    ]  # fmt: skip

    def mine(name):
        try:
            return [*named(name)]
        except InputError:
            return None

    theirs = ask(
        "return given.said.map((n) => { const r = P.readName(n); return r ? [r.row.name, r.weights] : null; })",
        said=said,
    )
    assert theirs == [mine(name) for name in said]
    assert 0.2 * len(said) < sum(x is None for x in theirs) < 0.8 * len(said)
