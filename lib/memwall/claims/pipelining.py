"""Chapter 5: pipelining, micro-batches, bubbles, memory (ledger rows P1-P26)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.catalog import chip, model
from ..core.nouns import Model, System
from ..experiments import schedules
from ..formulas import pipelining, racks, roofline
from . import claim, prose

GUESS = Model(n_total=1e12, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=2048)
MICRO_BATCH, CONTEXT, CHIPS = 2400, 100_000, 64  # the lecture's b = 300 s, a long context, its E
FOUR = 4  # racks on the blackboard


def _algebra() -> tuple[Any, Any, Any, Any, Model, System]:
    import sympy

    symbols = sympy.symbols("b L E P", positive=True)
    return (*symbols, Model.symbolic(), System.symbolic())


@claim(
    "P1",
    "Pipelining suits many racks: a cut between layers sends little",
    where="05_pipelining#where-to-cut",
    reason="Messages of a token over four racks: four at boundaries, or hundreds to experts "
    "in other racks.",
)
def _cut_between_layers() -> bool:
    v3 = model("DeepSeek-V3")
    # to every chosen expert and back, in every layer, if it is in another rack
    to_experts = 2 * v3.experts_active * v3.layers * racks.crossing_share(FOUR)
    return bool(to_experts > 100 * FOUR)


@claim(
    "P2",
    "Inner network time over outer network time at a stage boundary",
    unit="1",
    where="05_pipelining#where-to-cut",
    reason="16 activated experts, one layer, 8x; the article names the trade and omits the "
    "formula.",
)
def _boundary() -> float:
    return pipelining.boundary_ratio(16, 1, 8)


@claim(
    "P3",
    "Eight activated experts alone make a stage boundary cheap",
    where="05_pipelining#where-to-cut",
    reason="Also when copies for one GPU of 64 are merged. A public quiz turns the "
    "inequality round.",
)
def _eight_suffice() -> bool:
    merged = racks.distinct_targets(CHIPS, model("DeepSeek-V3"))  # it activates eight
    return bool(pipelining.boundary_ratio(merged, 1, 8) >= 1)


@claim(
    "P4",
    "Even one layer to a rack works",
    where="05_pipelining#where-to-cut",
    reason="For the lecture's 8x and 8 experts; for DeepSeek-V3 on boxes of H100 too.",
)
def _layer_per_rack() -> bool:
    box = chip("H100").system(8)
    ratio = racks.network_ratio(box)
    real = pipelining.boundary_ratio(model("DeepSeek-V3").experts_active, 1, ratio)
    return bool(pipelining.boundary_ratio(8, 1, 8) >= 1 and real >= 1)


prose(
    "P5",
    "Of layers, model width, hidden width and experts, cutting layers and experts pays",
    where="05_pipelining#where-to-cut",
    reason="The other two cut every small matrix and add traffic to each; chapter 4 has the "
    "experts.",
)


@claim(
    "P6",
    "Pipelining constrains the architecture: uneven layers cost idle time",
    where="05_pipelining#where-the-model-breaks",
    reason="Simulated: one stage of four with half as much work again. The nuisance itself "
    "is not computed.",
)
def _uneven() -> bool:
    even = schedules.one_f_one_b(FOUR, 32)
    uneven = schedules.one_f_one_b(FOUR, 32, pace=[1, 1, 1.5, 1])
    return uneven.bubble > even.bubble + 0.1


@claim(
    "P7",
    "Pipelining moves memory time, it does not cut it",
    where="05_pipelining#time-does-not-divide",
)
def _no_time_saved() -> bool:
    import sympy

    b, context, _, stages, m, s = _algebra()
    stage = pipelining.stage_time(b, context, m, s, stages)
    token = pipelining.token_time(stage, stages, 0)
    return sympy.simplify(token - roofline.step_time(b, context, m, s)) == 0


@claim(
    "P8",
    "A naive pipeline of four racks is idle three quarters of the time",
    stated=0.75,
    unit="1",
    where="05_pipelining#one-batch-at-a-time",
)
def _naive() -> float:
    return schedules.decode(FOUR, micro_batches=1, tokens=25).bubble


@claim(
    "P9",
    "Filling the pipeline with the next micro-batch removes the idle time",
    unit="1",
    where="05_pipelining#close-the-loop",
    reason="Zero in a closed loop, as the lecture says; the value is a finite run of 8 "
    "micro-batches on 4 stages.",
)
def _finite_run() -> float:
    return pipelining.fill_bubble(FOUR, 8, 1)


@claim(
    "P10",
    "In inference a micro-batch is only a name",
    where="05_pipelining#close-the-loop",
    reason="Simulated: with 4 of them in the loop each gets its tokens exactly as if it were "
    "alone.",
)
def _only_a_name() -> bool:
    def tokens_of_the_first(micro_batches: int) -> list[float]:
        table = schedules.decode(FOUR, micro_batches, tokens=8)
        return [j.end for j in table.of_stage(FOUR - 1) if j.micro_batch == 0]

    return tokens_of_the_first(1) == tokens_of_the_first(FOUR)


@claim(
    "P11",
    "Training runs forwards, stops hard, runs backwards, and leaves a bubble",
    where="05_pipelining#the-hard-stop",
    reason="The formula (P - 1) / (M + P - 1) was not on the board; the simulated bubble "
    "equals it for all P and M tried.",
)
def _hard_stop() -> bool:
    grid = [(p, m) for p in (2, 4, 8) for m in (1, 4, 9, 16)]
    return all(
        np.isclose(schedules.gpipe(p, m).bubble, pipelining.fill_bubble(p, m, 1)) for p, m in grid
    )


prose(
    "P12",
    "Training converges better with small batches and runs better with large ones",
    where="05_pipelining#the-hard-stop",
    reason="Half of it is computed here: the bubble falls with the number of micro-batches.",
)


@claim(
    "P13",
    "A model of a trillion parameters needs 1 TB, and a Blackwell rack has many tens",
    stated=1e12,
    unit="byte",
    where="05_pipelining#the-stages-cancel",
    reason="The weights agree. A rack has ten to twenty TB, as the lecture said earlier, not "
    "many tens; they fit.",
)
def _already_fits() -> float:
    rack = chip("GB200").system(72)
    need = roofline.resident_bytes(1, 0, GUESS)
    if need > rack.capacity:
        raise AssertionError("the surplus the row speaks of is not there")
    return need


@claim(
    "P14",
    "With eight racks in a row a designer could ship less HBM",
    where="05_pipelining#the-stages-cancel",
    unit="%",
    reason="Share of a rack's HBM that the weights of a stage fill; the caches do not shrink "
    "with it.",
)
def _less_hbm() -> float:
    rack = chip("GB200").system(72)
    return pipelining.weights_per_chip(GUESS, 72, 8) / (rack.capacity / 72)


prose(
    "P15",
    "Memory takes half of the large providers' capital spending",
    where="05_pipelining#where-the-model-breaks",
    reason="Hearsay of spring 2026, quoted without a source we could check; not used.",
)


@claim(
    "P16",
    "Memory demand is weights plus batch times context times bytes per token",
    where="05_pipelining#the-stages-cancel",
)
def _demand() -> bool:
    import sympy

    batch, context, chips, stages, m, _ = _algebra()
    whole = chips * stages * pipelining.bytes_per_chip(batch, context, m, chips, stages)
    total = m.n_total * m.bytes_per_param + batch * context * m.kv_bytes_per_token
    return sympy.simplify(whole - total) == 0


@claim(
    "P17",
    "Each GPU holds its share of the weights: E ways in the rack, P ways over racks",
    unit="byte",
    where="05_pipelining#the-stages-cancel",
    reason="A trillion parameters at FP8, E = 64, P = 4; no number was stated.",
)
def _weights_each() -> float:
    return pipelining.weights_per_chip(GUESS, CHIPS, FOUR)


@claim(
    "P18",
    "Four stages need four micro-batches in the loop",
    stated=4,
    unit="1",
    where="05_pipelining#close-the-loop",
)
def _as_many_as_stages() -> float:
    def idle(micro_batches: int) -> float:
        return schedules.decode(FOUR, micro_batches, tokens=6).idle_between(FOUR, 4 * FOUR)

    return next(m for m in range(1, 20) if idle(m) == 0)


@claim(
    "P19",
    "The KV cache on a GPU does not depend on the number of stages",
    unit="byte",
    where="05_pipelining#the-stages-cancel",
    reason="b = 2,400, L = 100,000, 2,048 B, E = 64: the same for every P, if each "
    "micro-batch stays at its balance.",
)
def _kv_each() -> float:
    kv = [
        pipelining.kv_per_chip(pipelining.global_batch(MICRO_BATCH, p), CONTEXT, GUESS, CHIPS, p)
        for p in (1, 2, 4, 8)
    ]
    if not np.allclose(kv, kv[0]):
        raise AssertionError("the stages do not cancel")
    return kv[0]


@claim(
    "P20",
    "Two stages are often enough: the KV cache soon dominates",
    stated=2,
    unit="1",
    where="05_pipelining#the-stages-cancel",
    reason="Stages at which weights and caches on a GPU are equal, for the numbers of P17 and P19.",
)
def _two_are_enough() -> float:
    return pipelining.stages_to_equal_kv(MICRO_BATCH, CONTEXT, GUESS)


@claim(
    "P21",
    "A larger domain multiplies the bandwidth one token can use",
    unit="x",
    where="05_pipelining#time-does-not-divide",
    reason="72 Blackwell over 8 Hopper. The lecture's two factors, 8 and 1.5 to 2, are both low.",
)
def _bandwidth() -> float:
    return chip("GB200").system().bandwidth / chip("H100").system().bandwidth


@claim(
    "P22",
    "Stages cannot lend each other bandwidth for one token",
    where="05_pipelining#time-does-not-divide",
)
def _no_lending() -> bool:
    # four boxes in a row are no faster for a token than one; one domain of four times the size is
    box, four_boxes = chip("H100").system(8), chip("H100").system(4 * 8)
    alone = roofline.step_time(1, 0, GUESS, box)
    row = pipelining.token_time(pipelining.stage_time(1, 0, GUESS, box, FOUR), FOUR, 0)
    domain = roofline.step_time(1, 0, GUESS, four_boxes)
    return bool(np.isclose(row, alone) and np.isclose(domain, alone / FOUR))


@claim(
    "P23",
    "Fetching the weights takes really long on an H100 box",
    unit="s",
    where="05_pipelining#time-does-not-divide",
    reason="A trillion FP8 parameters on 8 H100; no number was stated.",
)
def _fetch() -> float:
    return roofline.weight_time(GUESS, chip("H100").system(8))


@claim(
    "P24",
    "Hops of a few milliseconds turn 20 ms a token into 30 ms on four stages",
    stated=0.030,
    unit="s",
    where="05_pipelining#time-does-not-divide",
    reason="With 2.5 ms a hop. The lecture calls it maybe tenfold off; measured exchanges "
    "are faster still.",
)
def _hops() -> float:
    return pipelining.token_time(0.020 / FOUR, FOUR, 2.5e-3)


@claim(
    "P25",
    "For inference, pipelining is no free gain",
    where="05_pipelining#time-does-not-divide",
    reason="It never shortens the time of a token, and every hop adds to it.",
)
def _no_free_gain() -> bool:
    stages = np.arange(1, 17)
    rack = chip("GB200").system(72)
    stage = pipelining.stage_time(MICRO_BATCH, CONTEXT, GUESS, rack, stages)
    times = pipelining.token_time(stage, stages, 1e-5)
    return bool(np.all(np.diff(times) > 0))


@claim(
    "P26",
    "Stages solve capacity for weights, scale-up solves bandwidth, neither solves KV",
    where="05_pipelining#the-stages-cancel",
    reason="In the lecture's own formula E does divide the caches of a fixed batch; neither "
    "shrinks the bytes a user needs.",
)
def _roles() -> bool:
    import sympy

    b, context, chips, stages, m, _ = _algebra()
    weights = pipelining.weights_per_chip(m, chips, stages)
    held = pipelining.kv_per_chip(pipelining.global_batch(b, stages), context, m, chips, stages)
    box, rack = chip("H100").system(), chip("GB200").system()
    return bool(
        sympy.diff(weights, stages).is_negative
        and sympy.simplify(sympy.diff(held, stages)) == 0
        and roofline.weight_time(GUESS, rack) < roofline.weight_time(GUESS, box)
    )
