"""Scaling: how long to train a model that will be used a lot.

    D      tokens read or written: D_pt in pre-training, D_rl in RL, D_inf for users
    N      parameters; N_a those active for one token
    e      efficiency: useful FLOP a second, relative to pre-training

A model may be smaller and read more, or larger and read less, and end up as good. Reading
more costs training once; being larger costs every user's token. Between a cost that rises
and one that falls there is a cheapest point, and this module says what balances there:
not the two costs, as a quick argument has it, but their steepness.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.algebra import formula, maximum
from ..core.nouns import Model, Noun, quantity
from ..core.units import (
    Flop,
    Fraction,
    NonNegative,
    Parameters,
    Ratio,
    Real,
    Seconds,
    Tokens,
    TokensPerSecond,
)

# --- a cost that rises and a cost that falls --------------------------------------------


@formula
def two_term_cost(x: Ratio, a: Ratio, p: Ratio, b: Ratio, q: Ratio) -> Ratio:
    """A cost that rises with x plus one that falls with it.

    Equation: a x^p + b / x^q.
    Source: lecture, row L1, in general form.

    >>> float(two_term_cost(2, a=1, p=2, b=8, q=1))
    8.0
    """
    return a * x**p + b / x**q


@formula
def cheapest_point(a: Ratio, p: Ratio, b: Ratio, q: Ratio) -> Ratio:
    """The x at which a x^p + b / x^q is least.

    Equation: x = (q b / (p a))^(1 / (p + q)), where the two slopes cancel.
    Source: row L1.

    >>> float(cheapest_point(a=1, p=1, b=9, q=1))
    3.0
    """
    return (q * b / (p * a)) ** (1 / (p + q))


@formula
def cost_ratio_at_minimum(p: Ratio, q: Ratio) -> Ratio:
    """The rising cost over the falling one at the cheapest point.

    Equation: q / p: costs times elasticities are equal; costs are equal only if p = q.
    Source: row L1; the general case is ours.

    >>> float(cost_ratio_at_minimum(p=2, q=1))
    0.5
    """
    return q / p


@formula
def cost_of_missing(factor: Ratio, p: Ratio, q: Ratio) -> Ratio:
    """Cost at `factor` times the cheapest x, over the least cost.

    Equation: (q f^p + p / f^q) / (p + q); near f = 1 it grows only as 1 + p q (ln f)^2 / 2.
    Source: row L1; ours.

    >>> float(cost_of_missing(2, p=1, q=1))
    1.25
    """
    return (q * factor**p + p / factor**q) / (p + q)


@formula
def cost_of_equalising(p: Ratio, q: Ratio) -> Ratio:
    """Cost where rising and falling costs are made equal, over the least cost: the rule's price.

    Equation: `cost_of_missing` at f = (p / q)^(1 / (p + q)); 1 if p = q.
    Source: row L1; ours.

    >>> float(cost_of_equalising(p=1, q=1))
    1.0
    """
    return cost_of_missing((p / q) ** (1 / (p + q)), p, q)


# --- three stages of a model's life, in FLOP of pre-training quality -----------------------


@formula
def training_flop(tokens: Tokens, model: Model) -> Flop:
    """FLOP of pre-training: two a weight and token forward, four backward.

    Equation: 6 N_a D.
    Ignores: attention's own arithmetic (d5), restarts, failed runs.
    Source: lecture, row L2.

    >>> float(training_flop(1e12, Model(n_total=1e9, n_active=1e9)))
    6e+21
    """
    return 6 * model.n_active * tokens


@formula
def rl_flop(tokens: Tokens, flop_per_weight: Ratio, efficiency: Fraction, model: Model) -> Flop:
    """FLOP of reinforcement learning, at pre-training's efficiency.

    Equation: c N_a D / e; c = 2 if rollouts are only generated, 6 if each is also trained on.
    Ignores: that the trained part of a rollout runs at full efficiency.
    Source: lecture, row L3.

    >>> float(rl_flop(1e12, flop_per_weight=3, efficiency=0.5, model=Model(1e9, 1e9)))
    6e+21
    """
    return flop_per_weight * model.n_active * tokens / efficiency


@formula
def inference_flop(tokens: Tokens, efficiency: Fraction, model: Model) -> Flop:
    """FLOP of serving users, at pre-training's efficiency.

    Equation: 2 N_a D / e.
    Ignores: that prompts are read at full efficiency, and cached prompts not at all (d24).
    Source: lecture, row L4.

    >>> float(inference_flop(1e12, efficiency=0.5, model=Model(1e9, 1e9)))
    4e+21
    """
    return 2 * model.n_active * tokens / efficiency


@formula
def pretraining_per_token(flop_per_weight: Ratio, efficiency: Fraction, share: Ratio) -> Ratio:
    """Pre-training tokens for each token of another stage that costs `share` of pre-training.

    Equation: D_pt / D = c / (6 e share). Parameters cancel; efficiency divides.
    Source: lecture, rows L7, L8 and L18.

    >>> float(pretraining_per_token(3, efficiency=0.5, share=1))
    1.0
    """
    return flop_per_weight / (6 * efficiency * share)


@formula
def served_tokens(rate: TokensPerSecond, life: Seconds, survival: Fraction) -> Tokens:
    """Tokens a model can expect to serve: traffic times lifetime times the chance of being kept.

    Equation: p r T.
    Ignores: traffic that grows or fades over the lifetime (d25).
    Source: lecture, rows L9, L10 and L16.

    >>> float(served_tokens(1e6, 86400, 0.5))
    43200000000.0
    """
    return rate * life * survival


@formula
def chinchilla_tokens(parameters: Parameters, tokens_per_parameter: Ratio) -> Tokens:
    """Tokens that make a given training budget go furthest, by the rule of thumb of 2022.

    Equation: 20 N, the 20 from `chinchilla_ratio()`.
    Ignores: that the rule was found for dense models: for a mixture N may mean N_a or N_t (d23).
    Source: lecture, row L13; Hoffmann et al. 2022.

    >>> float(chinchilla_tokens(1e9, 20))
    20000000000.0
    """
    return tokens_per_parameter * parameters


@formula
def over_training(
    tokens: Tokens, parameters: Parameters, tokens_per_parameter: Ratio
) -> NonNegative:
    """How many times more a model read than the rule of 2022 asks for its size.

    Equation: D / (20 N).
    Source: lecture, row L14.

    >>> float(over_training(40e12, 1e9, 20))
    2000.0
    """
    return tokens / chinchilla_tokens(parameters, tokens_per_parameter)


# --- the same question asked of a measured law of loss -------------------------------------


@dataclass(frozen=True)
class ScalingLaw(Noun):
    """A fitted law of loss: what cannot be learnt, plus what size and data still leave over."""

    irreducible: NonNegative = quantity("E", "loss that no model removes", required=True)
    a: Ratio = quantity("A", "scale of the loss from being small", required=True)
    alpha: Ratio = quantity(r"\alpha", "how fast size removes loss", required=True)
    b: Ratio = quantity("B", "scale of the loss from reading little", required=True)
    beta: Ratio = quantity(r"\beta", "how fast data removes loss", required=True)
    name: str = "law"


@formula
def loss(parameters: Parameters, tokens: Tokens, law: ScalingLaw) -> NonNegative:
    """Loss of a dense model of N parameters that read D tokens, in nats a token.

    Equation: E + A / N^alpha + B / D^beta.
    Ignores: everything but size and data; far outside the fitted range it is a guess.
    Source: Hoffmann et al. 2022.

    >>> float(loss(16, 4, ScalingLaw(irreducible=1, a=2, alpha=0.5, b=1, beta=1)))
    1.75
    """
    return law.irreducible + law.a / parameters**law.alpha + law.b / tokens**law.beta


@formula
def tokens_for_loss(parameters: Parameters, target: Ratio, law: ScalingLaw) -> Tokens:
    """Tokens that bring a model of N parameters to a loss.

    Equation: (B / (loss - E - A / N^alpha))^(1 / beta); infinite where no reading reaches it.
    Source: `loss`, solved for D.

    >>> float(tokens_for_loss(16, 1.75, ScalingLaw(irreducible=1, a=2, alpha=0.5, b=1, beta=1)))
    4.0
    """
    left = target - law.irreducible - law.a / parameters**law.alpha
    return (law.b / maximum(left, 0)) ** (1 / law.beta)


@formula
def size_elasticity(parameters: Parameters, tokens: Tokens, law: ScalingLaw) -> Ratio:
    """Per cent more reading that replaces one per cent of size at the same loss.

    Equation: (alpha A / N^alpha) / (beta B / D^beta).
    Source: `loss`, differentiated along a line of equal loss; ours.

    >>> float(size_elasticity(16, 4, ScalingLaw(irreducible=1, a=2, alpha=0.5, b=1, beta=1)))
    1.0
    """
    from_size = law.alpha * law.a / parameters**law.alpha
    from_data = law.beta * law.b / tokens**law.beta
    return from_size / from_data


@formula
def inference_over_training(parameters: Parameters, tokens: Tokens, law: ScalingLaw) -> Real:
    """Serving cost over pre-training cost that makes this size and this much reading cheapest.

    Equation: elasticity - 1: zero on the Chinchilla line, negative below it (too little read).
    Ignores: RL; that cost is proportional to size (d5).
    Source: ours, after Sardana et al. 2024; row L1.

    >>> law = ScalingLaw(irreducible=1, a=2, alpha=0.5, b=1, beta=1)
    >>> float(inference_over_training(16, 8, law))
    1.0
    """
    return size_elasticity(parameters, tokens, law) - 1
