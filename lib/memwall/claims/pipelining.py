"""Chapter 5: pipelining, micro-batches, bubbles, memory (ledger rows P1-P26)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..catalog import chip, model
from ..core.nouns import Model, System
from ..experiments import schedules
from ..formulas import pipelining, racks, roofline

GUESS = Model(n_total=1e12, n_active=100e9, bytes_per_param=1, kv_bytes_per_token=2048)
MICRO_BATCH, CONTEXT, CHIPS = 2400, 100_000, 64  # the lecture's b = 300 s, a long context, its E
FOUR = 4  # racks on the blackboard


def _algebra() -> tuple[Any, Any, Any, Any, Model, System]:
    import sympy

    symbols = sympy.symbols("b L E P", positive=True)
    return (*symbols, Model.symbolic(), System.symbolic())


def p1_cut_between_layers() -> bool:
    v3 = model("DeepSeek-V3")
    # to every chosen expert and back, in every layer, if it is in another rack
    to_experts = 2 * v3.experts_active * v3.layers * racks.crossing_share(FOUR)
    return bool(to_experts > 100 * FOUR)


def p2_boundary() -> float:
    return pipelining.boundary_ratio(16, 1, 8)


def p3_eight_suffice() -> bool:
    merged = racks.distinct_targets(CHIPS, model("DeepSeek-V3"))  # it activates eight
    return bool(pipelining.boundary_ratio(merged, 1, 8) >= 1)


def p4_layer_per_rack() -> bool:
    box = chip("H100").system(8)
    ratio = racks.network_ratio(box)
    real = pipelining.boundary_ratio(model("DeepSeek-V3").experts_active, 1, ratio)
    return bool(pipelining.boundary_ratio(8, 1, 8) >= 1 and real >= 1)


def p6_uneven() -> bool:
    even = schedules.one_f_one_b(FOUR, 32)
    uneven = schedules.one_f_one_b(FOUR, 32, pace=[1, 1, 1.5, 1])
    return uneven.bubble > even.bubble + 0.1


def p7_no_time_saved() -> bool:
    import sympy

    b, context, _, stages, m, s = _algebra()
    stage = pipelining.stage_time(b, context, m, s, stages)
    token = pipelining.token_time(stage, stages, 0)
    return sympy.simplify(token - roofline.step_time(b, context, m, s)) == 0


def p8_naive() -> float:
    return schedules.decode(FOUR, micro_batches=1, tokens=25).bubble


def p9_finite_run() -> float:
    return pipelining.fill_bubble(FOUR, 8, 1)


def p10_only_a_name() -> bool:
    def tokens_of_the_first(micro_batches: int) -> list[float]:
        table = schedules.decode(FOUR, micro_batches, tokens=8)
        return [j.end for j in table.of_stage(FOUR - 1) if j.micro_batch == 0]

    return tokens_of_the_first(1) == tokens_of_the_first(FOUR)


def p11_hard_stop() -> bool:
    grid = [(p, m) for p in (2, 4, 8) for m in (1, 4, 9, 16)]
    return all(
        np.isclose(schedules.gpipe(p, m).bubble, pipelining.fill_bubble(p, m, 1)) for p, m in grid
    )


def p13_already_fits() -> float:
    rack = chip("GB200").system(72)
    need = roofline.resident_bytes(1, 0, GUESS)
    if need > rack.capacity:
        raise AssertionError("the surplus the row speaks of is not there")
    return need


def p14_less_hbm() -> float:
    rack = chip("GB200").system(72)
    return pipelining.weights_per_chip(GUESS, 72, 8) / (rack.capacity / 72)


def p16_demand() -> bool:
    import sympy

    batch, context, chips, stages, m, _ = _algebra()
    whole = chips * stages * pipelining.bytes_per_chip(batch, context, m, chips, stages)
    total = m.n_total * m.bytes_per_param + batch * context * m.kv_bytes_per_token
    return sympy.simplify(whole - total) == 0


def p17_weights_each() -> float:
    return pipelining.weights_per_chip(GUESS, CHIPS, FOUR)


def p18_as_many_as_stages() -> float:
    def idle(micro_batches: int) -> float:
        return schedules.decode(FOUR, micro_batches, tokens=6).idle_between(FOUR, 4 * FOUR)

    return next(m for m in range(1, 20) if idle(m) == 0)


def p19_kv_each() -> float:
    kv = [
        pipelining.kv_per_chip(pipelining.global_batch(MICRO_BATCH, p), CONTEXT, GUESS, CHIPS, p)
        for p in (1, 2, 4, 8)
    ]
    if not np.allclose(kv, kv[0]):
        raise AssertionError("the stages do not cancel")
    return kv[0]


def p20_two_are_enough() -> float:
    return pipelining.stages_to_equal_kv(MICRO_BATCH, CONTEXT, GUESS)


def p21_bandwidth() -> float:
    return chip("GB200").system().bandwidth / chip("H100").system().bandwidth


def p22_no_lending() -> bool:
    # four boxes in a row are no faster for a token than one; one domain of four times the size is
    box, four_boxes = chip("H100").system(8), chip("H100").system(4 * 8)
    alone = roofline.step_time(1, 0, GUESS, box)
    row = pipelining.token_time(pipelining.stage_time(1, 0, GUESS, box, FOUR), FOUR, 0)
    domain = roofline.step_time(1, 0, GUESS, four_boxes)
    return bool(np.isclose(row, alone) and np.isclose(domain, alone / FOUR))


def p23_fetch() -> float:
    return roofline.weight_time(GUESS, chip("H100").system(8))


def p24_hops() -> float:
    return pipelining.token_time(0.020 / FOUR, FOUR, 2.5e-3)


def p25_no_free_gain() -> bool:
    stages = np.arange(1, 17)
    rack = chip("GB200").system(72)
    stage = pipelining.stage_time(MICRO_BATCH, CONTEXT, GUESS, rack, stages)
    times = pipelining.token_time(stage, stages, 1e-5)
    return bool(np.all(np.diff(times) > 0))


def p26_roles() -> bool:
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
