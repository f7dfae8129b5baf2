"""Scaling: known answers worked by hand, limits, and the law checked by a second method."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from memwall import beliefs, catalog, claims, scaling
from memwall.core.nouns import MissingFact, Model
from memwall.core.units import DAY, InputError
from memwall.experiments.beliefs import BELIEFS, Belief
from memwall.formulas.scaling import ScalingLaw

GUESS = Model(n_total=1e12, n_active=100e9)
exponents = st.floats(0.2, 5)
scales = st.floats(0.01, 100)


# --- two costs --------------------------------------------------------------------------


def test_known_minimum():
    # x^2 + 16/x: slope 2x - 16/x^2 = 0 at x = 2; rising 4, falling 8, ratio 1/2
    assert scaling.cheapest_point(1, 2, 16, 1) == pytest.approx(2)
    assert scaling.two_term_cost(2, 1, 2, 16, 1) == pytest.approx(12)
    assert scaling.cost_ratio_at_minimum(2, 1) == 0.5


@given(scales, exponents, scales, exponents)
def test_elasticities_balance_at_the_minimum(a, p, b, q):
    x = scaling.cheapest_point(a, p, b, q)
    rising, falling = a * x**p, b / x**q
    assert p * rising == pytest.approx(q * falling, rel=1e-6)
    assert rising / falling == pytest.approx(scaling.cost_ratio_at_minimum(p, q), rel=1e-6)


@given(scales, exponents, scales, exponents, st.floats(0.1, 10))
def test_nothing_is_cheaper_and_missing_costs_what_it_says(a, p, b, q, factor):
    x = scaling.cheapest_point(a, p, b, q)
    least = scaling.two_term_cost(x, a, p, b, q)
    missed = scaling.two_term_cost(factor * x, a, p, b, q)
    assert missed >= least * (1 - 1e-9)
    assert missed / least == pytest.approx(scaling.cost_of_missing(factor, p, q), rel=1e-6)


def test_missing_by_two_costs_a_quarter_and_near_the_minimum_almost_nothing():
    # (2 + 1/2) / 2 = 1.25; second order: 1 + p q (ln f)^2 / 2
    assert scaling.cost_of_missing(2, 1, 1) == 1.25
    assert scaling.cost_of_missing(0.5, 1, 1) == 1.25
    second_order = 1 + 3 * 1 * math.log(1.01) ** 2 / 2
    assert scaling.cost_of_missing(1.01, 3, 1) == pytest.approx(second_order, abs=1e-5)


@given(exponents, exponents)
def test_equalising_costs_is_exact_for_equal_exponents_only(p, q):
    assert scaling.cost_of_equalising(p, q) >= 1 - 1e-12
    assert scaling.cost_of_equalising(p, p) == pytest.approx(1)
    # x where costs are equal, found directly
    x = (3 / 2) ** (1 / (p + q))
    assert 2 * x**p == pytest.approx(3 / x**q)
    best = scaling.two_term_cost(scaling.cheapest_point(2, p, 3, q), 2, p, 3, q)
    assert scaling.two_term_cost(x, 2, p, 3, q) / best == pytest.approx(
        scaling.cost_of_equalising(p, q)
    )


def test_the_lectures_other_example_obeys_the_general_rule():
    # e^x + e^-x is t + 1/t with t = e^x: both exponents 1, so least where equal, at x = 0
    x = np.linspace(-2, 2, 4001)
    assert x[np.argmin(np.exp(x) + np.exp(-x))] == pytest.approx(0, abs=1e-9)
    assert scaling.cheapest_point(1, 1, 1, 1) == 1


def test_symbolic_minimum_is_where_the_derivative_vanishes():
    x, a, p, b, q = sympy.symbols("x a p b q", positive=True)
    slope = sympy.diff(scaling.two_term_cost(x, a, p, b, q), x)
    at = slope.subs(x, scaling.cheapest_point(a, p, b, q))
    values = {a: 2, p: sympy.Rational(3, 2), b: 5, q: sympy.Rational(1, 2)}
    assert abs(float(at.subs(values))) < 1e-12


# --- three stages ------------------------------------------------------------------------


def test_flop_by_hand():
    assert scaling.training_flop(200e12, GUESS) == pytest.approx(1.2e26)  # 6 x 1e11 x 2e14
    assert scaling.inference_flop(1, 0.25, GUESS) == pytest.approx(8e11)  # 2 x 1e11 / 0.25
    assert scaling.rl_flop(1, 3, 0.5, GUESS) == pytest.approx(6e11)  # 3 x 1e11 / 0.5


def test_efficiency_divides():
    # a less efficient stage costs more, so fewer of its tokens equal one budget
    assert scaling.pretraining_per_token(2, 0.3, 1) == pytest.approx(10 / 9)  # 2 / 1.8
    assert scaling.pretraining_per_token(3, 0.3, 1) == pytest.approx(5 / 3)  # 3 / 1.8
    assert scaling.pretraining_per_token(3, 1 / 3, 1) == pytest.approx(1.5)
    assert scaling.pretraining_per_token(2, 1 / 3, 1) == pytest.approx(1.0)


@given(st.floats(2, 6), st.floats(0.05, 1), st.floats(0.1, 10), st.floats(1e9, 1e13))
def test_equal_cost_budgets_do_cost_the_same(c, e, share, tokens):
    read = tokens * scaling.pretraining_per_token(c, e, share)
    assert scaling.rl_flop(tokens, c, e, GUESS) == pytest.approx(
        share * scaling.training_flop(read, GUESS)
    )


def test_traffic_arithmetic():
    assert scaling.served_tokens(50e6, 60 * DAY, 1) == pytest.approx(259.2e12)
    assert scaling.served_tokens(500e6, 60 * DAY, 1) == pytest.approx(2.592e15)
    assert scaling.served_tokens(50e6, 60 * DAY, 0) == 0


def test_over_training_by_hand():
    assert beliefs.chinchilla_ratio() == pytest.approx(20)  # 1.4e12 / 70e9
    assert scaling.chinchilla_tokens(100e9, 20) == pytest.approx(2e12)
    assert scaling.over_training(200e12, 100e9, 20) == pytest.approx(100)
    # DeepSeek-V3: 14.8e12 / (20 x 37e9) = 20 by active, / (20 x 671e9) = 1.10 by total
    v3, read = catalog.model("DeepSeek-V3"), catalog.training_tokens("DeepSeek-V3")
    assert scaling.over_training(read, v3.n_active, 20) == pytest.approx(20)
    assert scaling.over_training(read, v3.n_total, 20) == pytest.approx(1.103, abs=1e-3)


# --- laws of loss --------------------------------------------------------------------------


def test_loss_by_hand_and_its_inverse():
    law = ScalingLaw(irreducible=1, a=2, alpha=0.5, b=1, beta=1)
    assert scaling.loss(16, 4, law) == 1.75  # 1 + 2/4 + 1/4
    assert scaling.tokens_for_loss(16, 1.75, law) == pytest.approx(4)
    # too small: 1 + 2 / 1 > 1.75 whatever it reads
    assert scaling.tokens_for_loss(1, 1.75, law) == math.inf


@pytest.mark.parametrize("law", beliefs.laws().values(), ids=lambda law: law.name)
def test_more_of_either_never_hurts(law):
    size, read = np.geomspace(1e8, 1e12, 9), np.geomspace(1e9, 1e15, 9)
    surface = scaling.loss(size[:, None], read, law)
    assert (np.diff(surface, axis=0) < 0).all()
    assert (np.diff(surface, axis=1) < 0).all()
    assert (surface > law.irreducible).all()


def optimal_size(flop, law):
    """The size that a training budget of 6 N D is best spent on: Hoffmann et al. 2022, equation 4."""
    both = law.alpha + law.beta
    return (law.alpha * law.a / (law.beta * law.b)) ** (1 / both) * (flop / 6) ** (law.beta / both)


@pytest.mark.parametrize("law", beliefs.laws().values(), ids=lambda law: law.name)
def test_chinchilla_line_is_where_serving_nobody_is_best(law):
    budget = 6 * 70e9 * 1.4e12
    size = optimal_size(budget, law)
    assert scaling.inference_over_training(size, budget / (6 * size), law) == pytest.approx(
        0, abs=1e-9
    )
    for factor in (0.8, 1.25):
        other = size * factor
        assert scaling.loss(other, budget / (6 * other), law) > scaling.loss(
            size, budget / (6 * size), law
        )


@pytest.mark.parametrize("law", beliefs.laws().values(), ids=lambda law: law.name)
@pytest.mark.parametrize("served", [1e12, 1e14])
def test_steepness_rule_agrees_with_trying_every_size(law, served):
    target = float(scaling.loss(100e9, 20e12, law))
    size, read = beliefs.cheapest_life(target, served, 0.3, law)
    model = Model(n_total=size, n_active=size)
    found = scaling.inference_flop(served, 0.3, model) / scaling.training_flop(read, model)
    assert scaling.inference_over_training(size, read, law) == pytest.approx(found, rel=0.02)


def test_more_users_make_the_best_model_smaller():
    law = beliefs.laws()["Hoffmann 2022"]
    target = float(scaling.loss(100e9, 20e12, law))
    sizes = [beliefs.cheapest_life(target, served, 0.3, law)[0] for served in (0, 1e13, 1e14, 1e15)]
    assert sizes == sorted(sizes, reverse=True)


def test_unreachable_loss_is_refused():
    with pytest.raises(InputError, match="out of reach"):
        beliefs.cheapest_life(1.0, 1e12, 0.3, beliefs.laws()["Hoffmann 2022"])


# --- facts -----------------------------------------------------------------------------------


def test_traffic_is_in_tokens_a_second():
    rates = beliefs.traffic()
    assert rates["Google, API, May 2026"] == pytest.approx(19e9 / 60)
    assert rates["DeepSeek, output only, Feb 2025"] == pytest.approx(168e9 / 86400)
    assert 4e8 < rates["Google, all surfaces, Oct 2025"] < 6e8  # 1.3e15 over a month


def test_measured_efficiency_by_hand():
    # decode 14,800 / 8 = 1,850 tokens a chip-second, training 14.8e12 / (2.664e6 x 3600) = 1,543
    assert beliefs.tokens_per_chip_second("DeepSeek-V3 decode") == 1850
    assert beliefs.measured_efficiency() == pytest.approx(2 * 1850 / (6 * 1543.2), rel=1e-3)
    assert beliefs.chip_seconds("DeepSeek-V3 pre-training") == pytest.approx(2.664e6 * 3600)
    with pytest.raises(InputError, match="DeepSeek-V3 decode"):
        beliefs.tokens_per_chip_second("DeepSeek-V3 decoder")


def test_training_tokens():
    assert catalog.training_tokens("Llama-3.1-8B") == pytest.approx(15e12)
    with pytest.raises(MissingFact, match="training_tokens of gpt-oss-120b"):
        catalog.training_tokens("gpt-oss-120b") / 2


# --- beliefs -----------------------------------------------------------------------------------


def test_draws_have_the_stated_ends():
    drawn = Belief(1, 100).draw(np.random.default_rng(1), 100_000)
    low, middle, high = beliefs.interval(drawn)
    assert (low, middle, high) == pytest.approx((1, 10, 100), rel=0.05)
    flat = Belief(2, 6, log=False).draw(np.random.default_rng(1), 100_000)
    assert flat.min() >= 2 and flat.max() <= 6
    assert np.median(flat) == pytest.approx(4, rel=0.02)


def test_certainty_gives_the_blackboards_answer():
    sure = beliefs.budgets(
        10, rate=50e6, life=60 * DAY, survival=1, efficiency=1 / 3, rl_flop_per_weight=3,
        n_active=100e9, tokens_per_parameter=20,
    )  # fmt: skip
    assert np.allclose(sure["pretraining"], 259.2e12)
    assert np.allclose(sure["rl"], 259.2e12 / 1.5)
    assert np.allclose(sure["over_training"], 129.6)


def test_budgets_repeat_and_narrow_when_something_becomes_known():
    once, twice = beliefs.budgets(2000), beliefs.budgets(2000)
    assert all((once[k] == twice[k]).all() for k in once)

    def width(**known):
        low, _, high = beliefs.interval(beliefs.budgets(20_000, **known)["over_training"])
        return high / low

    free = width()
    for name, belief in BELIEFS.items():
        if name != "rl_flop_per_weight":  # over-training does not depend on RL
            assert width(**{name: belief.middle}) < free


def test_interval_behind_the_claims():
    low, _, high = beliefs.interval(beliefs.budgets()["pretraining"])
    assert high / low > 30
    assert claims.get("L11").computed() is True


@pytest.mark.parametrize(
    "call",
    [
        lambda: beliefs.budgets(0),
        lambda: beliefs.budgets(10, lifetime=1),
        lambda: beliefs.interval([1, 2], 1.5),
        lambda: Belief(0, 1),
        lambda: Belief(3, 2),
        lambda: scaling.served_tokens(-1, 1, 1),
        lambda: scaling.served_tokens(1, 1, 1.5),
        lambda: scaling.cheapest_point(1, 0, 1, 1),
        lambda: scaling.over_training(1e12, 0, 20),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(InputError):
        call()


def test_misspelt_belief_is_suggested():
    with pytest.raises(InputError, match="survival"):
        beliefs.budgets(10, survivel=1)


# --- claims ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("L1", 0.5), ("L2", 1.2e26), ("L8", 5 / 3), ("L9", 2.592e15), ("L10", 2.592e14),
        ("L13", 2e12), ("L14", 100),
    ],
)  # fmt: skip
def test_headline_claims(row, value):
    assert claims.get(row).computed() == pytest.approx(value)


def test_every_row_is_answered():
    rows = claims.of_chapter(7).claims
    assert [c.id for c in rows] == [f"L{i}" for i in range(1, 21)]
    for row in rows:
        assert row.where.startswith("07_scaling#")
        assert row.verdict() == "agrees" or row.reason


# --- by hand, where a looser test would not see a wrong constant ------------------------------


def test_laws_by_hand_with_no_exponent_of_one():
    # N = 16: 16^0.5 = 4; D = 81: 81^0.25 = 3
    law = ScalingLaw(irreducible=1, a=2, alpha=0.5, b=6, beta=0.25)
    assert scaling.loss(16, 81, law) == pytest.approx(1 + 2 / 4 + 6 / 3)
    assert scaling.tokens_for_loss(16, 3.5, law) == pytest.approx(81)
    # (0.5 x 2/4) / (0.25 x 6/3) = 0.25 / 0.5, and that less one
    assert scaling.size_elasticity(16, 81, law) == pytest.approx(0.5)
    assert scaling.inference_over_training(16, 81, law) == pytest.approx(-0.5)


def test_beliefs_by_hand():
    # middle and high over low: 50 million token/s, 90 days, 30 % and 20 tokens a parameter
    middles = {
        "rate": (50e6, 25), "life": (90 * 86400, 9), "survival": (0.65, 10 / 3),
        "efficiency": (0.3, 4), "rl_flop_per_weight": (4, 3), "n_active": (math.sqrt(6250) * 1e9, 10),
        "tokens_per_parameter": (20, 4),
    }  # fmt: skip
    assert set(middles) == set(BELIEFS)
    for name, (middle, ratio) in middles.items():
        assert BELIEFS[name].middle == pytest.approx(middle), name
        assert BELIEFS[name].high / BELIEFS[name].low == pytest.approx(ratio), name


def test_a_belief_may_be_a_point_but_has_an_end():
    assert Belief(3, 3).middle == Belief(3, 3, log=False).middle == 3
    assert (Belief(3, 3).draw(np.random.default_rng(0), 4) == 3).all()
    for low, high in ((0, 1), (-1, 1), (1, math.inf), (1, math.nan)):
        with pytest.raises(InputError, match="0 < low <= high"):
            Belief(low, high)


def test_each_belief_draws_from_a_stream_of_its_own():
    free = beliefs.budgets(500)
    known = beliefs.budgets(500, efficiency=0.3)
    assert (free["served"] == known["served"]).all()
    assert (free["pretraining"] != known["pretraining"]).all()
    # what is drawn for one says nothing about another: a correlation of 1/sqrt(500) by chance
    alone = [
        np.log(beliefs.budgets(500, **{k: 1.0 for k in BELIEFS if k not in (one, "survival")} | {"survival": 1.0})["over_training"])
        for one in ("rate", "life", "n_active")
    ]  # fmt: skip
    assert np.abs(np.corrcoef(alone) - np.eye(3)).max() < 0.2


def test_no_machine_is_better_than_perfect():
    sure = beliefs.budgets(1, rate=1e6, life=DAY, survival=1, efficiency=2, rl_flop_per_weight=6)
    # 8.64e10 tokens served, 2 FLOP a weight against 6; RL at 6 costs as much as pre-training
    assert sure["pretraining"] == pytest.approx([8.64e10 / 3])
    assert sure["rl"] == pytest.approx(sure["pretraining"])
    for n in (0, -1, 2.5, "8"):
        with pytest.raises(InputError, match="whole number, at least 1"):
            beliefs.budgets(n)


def test_interval_by_hand():
    # of 0, 1, ..., 100 the middle nine tenths end at 5 and 95
    assert beliefs.interval(np.arange(101)) == pytest.approx((5, 50, 95))
    assert beliefs.interval(np.arange(101), 0.5) == pytest.approx((25, 50, 75))
    for level in (0, 1, -0.1):
        with pytest.raises(InputError, match="between 0 and 1"):
            beliefs.interval([1, 2], level)


def test_a_month_and_a_run_by_hand():
    # 365.25 / 12 = 30.4375 days of 86,400 s are 2,629,800 s
    assert beliefs.traffic()["Google, all surfaces, Oct 2025"] == pytest.approx(1.3e15 / 2_629_800)
    assert beliefs.traffic()["OpenAI, one model, Mar 2026"] == pytest.approx(5e12 / 86_400)
    found = beliefs.tokens_per_chip_second("DeepSeek-V3 pre-training")
    assert found == pytest.approx(14.8e12 / (2.664e6 * 3600))


def test_the_loss_itself_is_never_reached():
    law = ScalingLaw(irreducible=1, a=2, alpha=0.5, b=1, beta=1)
    with pytest.raises(InputError, match="the law stops at 1"):
        beliefs.cheapest_life(1.0, 1e3, 0.3, law)
    # nobody served: the size of the budget that it costs, and just the reading for the loss
    size, read = beliefs.cheapest_life(1.75, 0, 0.3, law)
    assert scaling.loss(size, read, law) == pytest.approx(1.75)
    best = optimal_size(6 * size * read, law)
    assert size == pytest.approx(best, rel=0.01)
