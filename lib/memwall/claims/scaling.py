"""Ledger rows L1 to L20: scaling laws, token budgets, over-training."""

from __future__ import annotations

from ..core import catalog
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
from . import claim

PAGE = "07_scaling#"
# the lecture's own inputs
ACTIVE, READ, DECODE, RL = 100e9, 200e12, 0.3, 3.0
TWO_MONTHS = 60 * DAY
GUESSED = Model(n_total=ACTIVE, n_active=ACTIVE, name="the lecture's guess")


@claim(
    "L1",
    "A cost that rises and one that falls add up to least where they are equal",
    stated=1.0,
    where=PAGE + "what-balances-is-steepness",
    reason="Costs times exponents are equal; the costs only if the exponents agree. Computed for "
    "a x² + b / x.",
)
def _rising_over_falling() -> float:
    return cost_ratio_at_minimum(p=2, q=1)


@claim(
    "L2",
    "Pre-training costs six FLOP a weight and token; here 100e9 active, 200e12 tokens",
    unit="FLOP",
    where=PAGE + "three-stages-one-currency",
    reason="The formula with the lecture's guesses put in.",
)
def _pretraining_cost() -> float:
    return training_flop(READ, GUESSED)


@claim(
    "L3",
    "RL costs two to six FLOP a weight and token, over its efficiency",
    stated=True,
    where=PAGE + "three-stages-one-currency",
)
def _rl_lies_between() -> bool:
    only_generated = rl_flop(READ, 2, DECODE, GUESSED) == inference_flop(READ, DECODE, GUESSED)
    all_trained_on = rl_flop(READ, 6, 1, GUESSED) == training_flop(READ, GUESSED)
    return only_generated and all_trained_on


@claim(
    "L4",
    "Inference costs two FLOP a weight and token, over its efficiency",
    where=PAGE + "three-stages-one-currency",
    reason="Computed: a served token over a pre-training token, at 30 % efficiency.",
)
def _served_over_read() -> float:
    return inference_flop(1e12, DECODE, GUESSED) / training_flop(1e12, GUESSED)


@claim(
    "L5",
    "A third each, or half for inference and a quarter each: either will do",
    where=PAGE + "token-budgets-without-the-model",
    reason="Computed: pre-training tokens under the first split over those under the second.",
)
def _thirds_over_quarters() -> float:
    return pretraining_per_token(2, DECODE, 1) / pretraining_per_token(2, DECODE, 2)


@claim(
    "L6",
    "Decode is 30 % as efficient as training",
    stated=DECODE,
    where=PAGE + "three-stages-one-currency",
    reason="Computed from DeepSeek's own figures; prices (chapter 6) suggest less, not more.",
)
def _decode_efficiency() -> float:
    return measured_efficiency()


@claim(
    "L7",
    "Coefficient of inference, first written as a product with the efficiency",
    stated=0.1,
    where=PAGE + "token-budgets-without-the-model",
    reason="The efficiency divides. Corrected during the lecture; some notes kept the product.",
)
def _inference_coefficient() -> float:
    return pretraining_per_token(2, DECODE, 1)


@claim(
    "L8",
    "Pre-training reads 1.5 times as many tokens as RL at equal cost",
    stated=1.5,
    where=PAGE + "token-budgets-without-the-model",
    reason="1.5 needs an efficiency of one third; computed with the stated 30 %.",
)
def _pretraining_over_rl() -> float:
    return pretraining_per_token(RL, DECODE, 1)


@claim(
    "L9",
    "A provider at 500 million tokens a second emits 2.6e15 tokens in two months",
    stated=2.6e15,
    unit="tokens",
    where=PAGE + "how-much-do-people-ask",
)
def _provider_tokens() -> float:
    return served_tokens(500e6, TWO_MONTHS, 1)


@claim(
    "L10",
    "A model at 50 million tokens a second emits about 200 trillion tokens in two months",
    stated=200e12,
    unit="tokens",
    where=PAGE + "how-much-do-people-ask",
    reason="Rounded down by almost a quarter.",
)
def _model_tokens() -> float:
    return served_tokens(50e6, TWO_MONTHS, 1)


@claim(
    "L11",
    "A rumoured 150 trillion pre-training tokens fits the estimate",
    stated=True,
    where=PAGE + "how-sure-are-we",
    reason="Inside our 90 % interval, which spans a factor of more than thirty: no evidence.",
)
def _rumour_fits() -> bool:
    low, _, high = interval(budgets()["pretraining"])
    return low < 150e12 < high


@claim(
    "L12",
    "A frontier model has perhaps 100 billion active parameters",
    stated=ACTIVE,
    unit="parameters",
    verdict="qualitative",
    where=PAGE + "over-trained-by-which-parameters",
    reason="A guess about closed models. Computed: the most any mixture in the catalog activates.",
)
def _largest_active() -> float:
    return max(m.n_active for m in catalog.models().values() if m.n_active < m.n_total)


@claim(
    "L13",
    "The 2022 rule asks for 20 tokens a parameter: 2 trillion for 100 billion",
    stated=2e12,
    unit="tokens",
    where=PAGE + "over-trained-by-which-parameters",
    reason="By active parameters, which is a choice: by total ones the rule asks for more.",
)
def _rule_of_2022() -> float:
    return chinchilla_tokens(ACTIVE, chinchilla_ratio())


@claim(
    "L14",
    "Frontier models are over-trained about a hundred times",
    stated=100.0,
    unit="1",
    where=PAGE + "over-trained-by-which-parameters",
    reason="It follows from the guesses; the chapter computes it for open models too.",
)
def _hundred_times() -> float:
    return over_training(READ, ACTIVE, chinchilla_ratio())


@claim(
    "L15",
    "A model emits about as many tokens as it read",
    stated=1.0,
    where=PAGE + "token-budgets-without-the-model",
    reason="Exactly as many at an efficiency of one third; computed at 30 %.",
)
def _emitted_over_read() -> float:
    return 1 / pretraining_per_token(2, DECODE, 1)


@claim(
    "L16",
    "Some models are discarded, so the tokens one plans for are fewer",
    stated=True,
    where=PAGE + "how-much-do-people-ask",
    reason="In proportion: half a chance of survival halves every budget.",
)
def _survival_scales() -> bool:
    return served_tokens(50e6, TWO_MONTHS, 0.5) * 2 == served_tokens(50e6, TWO_MONTHS, 1)


@claim(
    "L17",
    "RL uses fewer tokens than pre-training",
    stated=True,
    where=PAGE + "token-budgets-without-the-model",
    reason="At equal cost, for every coefficient from 2 to 6, because decode is inefficient.",
)
def _rl_reads_less() -> bool:
    return all(pretraining_per_token(c, DECODE, 1) > 1 for c in (2, 3, 4, 5, 6))


@claim(
    "L18",
    "Model size cancels from the token budgets",
    stated=True,
    where=PAGE + "token-budgets-without-the-model",
)
def _size_cancels() -> bool:
    import sympy

    read, written, e = sympy.symbols("D_pt D_inf e", positive=True)
    model = Model.symbolic()
    equal = sympy.Eq(training_flop(read, model), inference_flop(written, e, model))
    return model.n_active not in sympy.solve(equal, read)[0].free_symbols


@claim(
    "L19",
    "All of this is approximate",
    where=PAGE + "how-sure-are-we",
    reason="Computed: high end over low end of the 90 % interval of over-training.",
)
def _width_of_the_interval() -> float:
    low, _, high = interval(budgets()["over_training"])
    return high / low


@claim(
    "L20",
    "Larger scale-up domains unblocked models of a trillion parameters by their bandwidth",
    stated=True,
    where=PAGE + "over-trained-by-which-parameters",
    reason="Eight H100 need longer for such weights than to read all they hold; a rack does not.",
)
def _trillion_needs_a_rack() -> bool:
    trillion = Model(n_total=1e12, n_active=ACTIVE, bytes_per_param=1)
    box, rack = catalog.chip("H100").system(8), catalog.chip("GB200").system(72)
    too_slow = weight_time(trillion, box) > drain_time(box)
    return too_slow and weight_time(trillion, rack) < drain_time(rack)
