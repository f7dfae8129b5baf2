"""Ledger rows L1 to L20: scaling laws, token budgets, over-training."""

from __future__ import annotations

from .. import catalog
from ..core.nouns import Model
from ..core.units import DAY
from ..experiments.beliefs import budgets, chinchilla_ratio, interval, measured_efficiency
from ..formulas.roofline import drain_time, weight_time
from ..formulas.scaling import (
    chinchilla_tokens,
    cost_ratio_at_minimum,
    inference_flop,
    over_training,
    pretraining_per_token,
    rl_flop,
    served_tokens,
    training_flop,
)
from . import stated

# the lecture's own inputs
ACTIVE, DECODE = stated("L12"), stated("L6")
READ, RL = 200e12, 3.0
TWO_MONTHS = 60 * DAY
GUESSED = Model(n_total=ACTIVE, n_active=ACTIVE, name="the lecture's guess")


def l1_rising_over_falling() -> float:
    return cost_ratio_at_minimum(p=2, q=1)


def l2_pretraining_cost() -> float:
    return training_flop(READ, GUESSED)


def l3_rl_lies_between() -> bool:
    only_generated = rl_flop(READ, 2, DECODE, GUESSED) == inference_flop(READ, DECODE, GUESSED)
    all_trained_on = rl_flop(READ, 6, 1, GUESSED) == training_flop(READ, GUESSED)
    return only_generated and all_trained_on


def l4_served_over_read() -> float:
    return inference_flop(1e12, DECODE, GUESSED) / training_flop(1e12, GUESSED)


def l5_thirds_over_quarters() -> float:
    return pretraining_per_token(2, DECODE, 1) / pretraining_per_token(2, DECODE, 2)


def l6_decode_efficiency() -> float:
    return measured_efficiency()


def l7_inference_coefficient() -> float:
    return pretraining_per_token(2, DECODE, 1)


def l8_pretraining_over_rl() -> float:
    return pretraining_per_token(RL, DECODE, 1)


def l9_provider_tokens() -> float:
    return served_tokens(500e6, TWO_MONTHS, 1)


def l10_model_tokens() -> float:
    return served_tokens(50e6, TWO_MONTHS, 1)


def l11_rumour_fits() -> bool:
    low, _, high = interval(budgets()["pretraining"])
    return low < 150e12 < high


def l12_largest_active() -> float:
    return max(m.n_active for m in catalog.models().values() if m.n_active < m.n_total)


def l13_rule_of_2022() -> float:
    return chinchilla_tokens(ACTIVE, chinchilla_ratio())


def l14_hundred_times() -> float:
    return over_training(READ, ACTIVE, chinchilla_ratio())


def l15_emitted_over_read() -> float:
    return 1 / pretraining_per_token(2, DECODE, 1)


def l16_survival_scales() -> bool:
    return served_tokens(50e6, TWO_MONTHS, 0.5) * 2 == served_tokens(50e6, TWO_MONTHS, 1)


def l17_rl_reads_less() -> bool:
    return all(pretraining_per_token(c, DECODE, 1) > 1 for c in (2, 3, 4, 5, 6))


def l18_size_cancels() -> bool:
    import sympy

    read, written, e = sympy.symbols("D_pt D_inf e", positive=True)
    model = Model.symbolic()
    equal = sympy.Eq(training_flop(read, model), inference_flop(written, e, model))
    return model.n_active not in sympy.solve(equal, read)[0].free_symbols


def l19_width_of_the_interval() -> float:
    low, _, high = interval(budgets()["over_training"])
    return high / low


def l20_trillion_needs_a_rack() -> bool:
    trillion = Model(n_total=1e12, n_active=ACTIVE, bytes_per_param=1)
    box, rack = catalog.chip("H100").system(8), catalog.chip("GB200").system(72)
    too_slow = weight_time(trillion, box) > drain_time(box)
    return too_slow and weight_time(trillion, rack) < drain_time(rack)
