"""Ledger rows F1 to F13: ciphers and networks, one wiring, memory against arithmetic."""

from __future__ import annotations

import functools

import numpy as np
import sympy

from .. import catalog
from ..experiments import feistel, revnet
from ..experiments.feistel import Simon
from ..formulas import reversible
from ..formulas.roofline import ridge_point

ROUNDS = 10  # of SIMON32's 32, attacked below
SAMPLES = 2048


def f1_both_mix_completely() -> bool:
    cipher = Simon(32, 64)
    flips = feistel.avalanche(cipher, 12, samples=256)
    complete = feistel.completeness_round(flips)
    layers, state = revnet.network(4, 8, 32), revnet.tokens(1, 8)
    outputs = revnet.run(layers, state).ravel()
    reached = [
        np.all(revnet.run(layers, state + 1e-3 * unit.reshape(state.shape)).ravel() != outputs)
        for unit in np.eye(state.size)
    ]
    return complete is not None and complete < cipher.rounds and all(reached)


def f2_opposite_aims() -> bool:
    samples = 1 << 12
    hidden = feistel.strongest_trace(Simon(32, 64), 32, samples)[-1]
    noise = 2 * reversible.sampling_error(samples)
    before, after = learned_correlation()
    return bool(hidden < 5 * noise and abs(before) < 0.15 and after > 0.6)


@functools.cache
def learned_correlation() -> tuple[float, float]:
    """Correlation of a network's output with the hidden label, before and after training."""
    state, label = revnet.hidden_product(256)
    fresh, truth = revnet.hidden_product(2000, seed=5)
    start = revnet.network(4, 2, 16, 0.5)
    trained, _ = revnet.train(start, state, label, 120)
    return revnet.agreement(start, fresh, truth), revnet.agreement(trained, fresh, truth)


def f3_stirring() -> bool:
    reached = [int(feistel.stirred(8, axes).sum()) for axes in ((0,), (0, 0, 0), (0, 1))]
    return reached == [8, 8, 64]


def f4_random_network_as_cipher() -> float:
    return float(revnet.sign_flips(revnet.network(32), 64)[-1])


def f5_simple_derivatives() -> bool:
    around, through = (revnet.chain_gradient(64, 0.2, residual) for residual in (True, False))
    return 0.25 < around < 4 and through < 1e-30


def f6_differential_attack() -> bool:
    cipher = Simon(32, 64)
    round_keys = cipher.round_keys([0x1918, 0x1110, 0x0908, 0x0100])
    found = feistel.recover_key(
        lambda x, y: cipher.encrypt(x, y, round_keys[:ROUNDS]), ROUNDS, pairs=1 << 17
    )
    flips = feistel.avalanche(cipher, ROUNDS, SAMPLES)
    passes = feistel.strict_avalanche_round(flips, SAMPLES)
    return found == [0x1918, 0x1110, 0x0908, 0x0100] and passes is not None


def f7_adversarial() -> float:
    return float(reversible.adversarial_gain(224 * 224 * 3))


def f9_feistel_inverts() -> bool:
    x, y = sympy.symbols("x y")
    f, g = sympy.Function("f"), sympy.Function("g")
    return feistel.decode([f, g], *feistel.encode([f, g], x, y)) == (x, y)


def f10_revnet_block() -> bool:
    layers, state = revnet.network(16), revnet.tokens(64, 16)
    back = revnet.unrun(layers, revnet.run(layers, state))
    (a, _), (b, _) = (
        revnet.collect(g(layers, *state))
        for g in (revnet.stored_gradients, revnet.reversible_gradients)
    )
    worst = max(revnet.relative_error(q.w1, p.w1) for p, q in zip(a, b, strict=True))
    return revnet.relative_error(back, state) < 1e-12 and worst < 1e-12


def f11_memory_against_depth() -> bool:
    state = revnet.tokens(64, 16)
    kept, none = (
        [revnet.metered(g, revnet.network(d), state).peak for d in (8, 64)]
        for g in (revnet.stored_gradients, revnet.reversible_gradients)
    )
    return kept[1] == 8 * kept[0] and none[1] == none[0]


def f12_compute_ratio() -> float:
    return float(reversible.reversible_compute_ratio(2))


def f13_memory_for_compute_pays() -> bool:
    ridge = max(
        ridge_point(chip.system(1, "bf16")) for chip in catalog.chips().values() if chip.flops_bf16
    )
    known = catalog.models().values()
    cached = [reversible.cache_flop_per_byte(m) for m in known if m.kv_bytes_per_token]
    kept = [reversible.reversible_flop_per_byte(m, 2) for m in known if m.layers and m.d_model]
    return bool(min(cached) > ridge and min(kept) > 2 * ridge)
