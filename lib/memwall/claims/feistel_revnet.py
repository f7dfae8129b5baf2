"""Ledger rows F1 to F13: ciphers and networks, one wiring, memory against arithmetic."""

from __future__ import annotations

import functools

import numpy as np
import sympy

from ..core import catalog
from ..experiments import feistel, revnet
from ..experiments.feistel import Simon
from ..formulas import reversible
from ..formulas.roofline import ridge_point
from . import claim, prose

PAGE = "08_feistel_revnet#"
ROUNDS = 10  # of SIMON32's 32, attacked below
SAMPLES = 2048


@claim(
    "F1",
    "A cipher and a network both mix until every output depends on every input",
    stated=True,
    where=PAGE + "two-crafts-that-stir",
    reason="Seen in SIMON32 before its rounds are over, and in a small random network.",
)
def _both_mix_completely() -> bool:
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


@claim(
    "F2",
    "Their aims are opposite: one hides structure, the other extracts it",
    stated=True,
    where=PAGE + "what-a-network-does-with-a-difference",
    reason="No bit of the ciphertext correlates with a bit of the text above noise; a trained "
    "network's output does with a label that was hidden in its inputs.",
)
def _opposite_aims() -> bool:
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


@claim(
    "F3",
    "Stirring in alternate directions mixes everything",
    stated=True,
    where=PAGE + "two-crafts-that-stir",
    reason="One cell of 64 reaches 8 by stirring along one axis, however often, and 64 by both.",
)
def _stirring() -> bool:
    reached = [int(feistel.stirred(8, axes).sum()) for axes in ((0,), (0, 0, 0), (0, 1))]
    return reached == [8, 8, 64]


@claim(
    "F4",
    "A randomly initialised network might be a fair cipher: share of output signs that one "
    "flipped input sign turns over in 32 layers",
    unit="%",
    where=PAGE + "what-a-network-does-with-a-difference",
    reason="A speculation, not a number, in the lecture. A fair cipher turns half; ordinary "
    "initial weights mix far less, and the output stays differentiable.",
)
def _random_network_as_cipher() -> float:
    return float(revnet.sign_flips(revnet.network(32), 64)[-1])


@claim(
    "F5",
    "Networks keep their derivatives simple: a way around each layer keeps gradients alive",
    stated=True,
    where=PAGE + "what-a-network-does-with-a-difference",
    reason="The article says interpretable; meant is well-behaved. Through 64 layers the gradient "
    "keeps its length within a factor of four, and without the way around it vanishes.",
)
def _simple_derivatives() -> bool:
    around, through = (revnet.chain_gradient(64, 0.2, residual) for residual in (True, False))
    return 0.25 < around < 4 and through < 1e-30


@claim(
    "F6",
    "Differential cryptanalysis attacks by differentiating over the field of two elements",
    stated=True,
    where=PAGE + "the-attack-differentiates",
    reason="The article calls the avalanche the attack; it is the defence. Ten rounds of SIMON32 "
    "pass the avalanche criterion, and derivatives still give their whole key away.",
)
def _differential_attack() -> bool:
    cipher = Simon(32, 64)
    round_keys = cipher.round_keys([0x1918, 0x1110, 0x0908, 0x0100])
    found = feistel.recover_key(
        lambda x, y: cipher.encrypt(x, y, round_keys[:ROUNDS]), ROUNDS, pairs=1 << 17
    )
    flips = feistel.avalanche(cipher, ROUNDS, SAMPLES)
    passes = feistel.strict_avalanche_round(flips, SAMPLES)
    return found == [0x1918, 0x1110, 0x0908, 0x0100] and passes is not None


@claim(
    "F7",
    "Adversarial images are avalanche where nobody wants it: how much further a chosen step "
    "moves the output than a random one, for an image of 224 x 224 x 3 values",
    unit="x",
    where=PAGE + "what-a-network-does-with-a-difference",
    reason="No number in the lecture; this one is the linear argument, sqrt(2 d / pi).",
)
def _adversarial() -> float:
    return float(reversible.adversarial_gain(224 * 224 * 3))


prose(
    "F8",
    "Nearly all newly proposed ciphers get broken",
    where=PAGE + "the-attack-differentiates",
    reason="A rhetorical 99 %, nothing to compute; the direction from ciphers to networks is the "
    "one that paid, in this chapter too.",
)


@claim(
    "F9",
    "The Feistel map can be undone whatever its function",
    stated=True,
    where=PAGE + "a-box-that-can-always-be-undone",
    reason="Proved with a function that stays a symbol, and counted for all 256 functions of two "
    "bits. The article puts the swap into the definition; the map inverts without it too.",
)
def _feistel_inverts() -> bool:
    x, y = sympy.symbols("x y")
    f, g = sympy.Function("f"), sympy.Function("g")
    return feistel.decode([f, g], *feistel.encode([f, g], x, y)) == (x, y)


@claim(
    "F10",
    "A reversible network's block is that map: x' = y + f(x), y' = x, and back",
    stated=True,
    where=PAGE + "the-same-box-with-real-numbers",
    reason="Its gradients equal those of the network that stores. The paper's block has two "
    "functions, which is two of these; it was shown on ResNets, the lecture says transformers.",
)
def _revnet_block() -> bool:
    layers, state = revnet.network(16), revnet.tokens(64, 16)
    back = revnet.unrun(layers, revnet.run(layers, state))
    (a, _), (b, _) = (
        revnet.collect(g(layers, *state))
        for g in (revnet.stored_gradients, revnet.reversible_gradients)
    )
    worst = max(revnet.relative_error(q.w1, p.w1) for p, q in zip(a, b, strict=True))
    return revnet.relative_error(back, state) < 1e-12 and worst < 1e-12


@claim(
    "F11",
    "Ordinary training stores activations for each layer, a reversible network only the last",
    stated=True,
    where=PAGE + "memory-against-depth",
    reason="Counted while training runs: 8 to 64 layers hold 8 times the bytes, or the same. "
    "Layers that change the width still store, and inversion in floating point drifts (d28).",
)
def _memory_against_depth() -> bool:
    state = revnet.tokens(64, 16)
    kept, none = (
        [revnet.metered(g, revnet.network(d), state).peak for d in (8, 64)]
        for g in (revnet.stored_gradients, revnet.reversible_gradients)
    )
    return kept[1] == 8 * kept[0] and none[1] == none[0]


@claim(
    "F12",
    "The price is a second forward pass in the backward sweep",
    where=PAGE + "the-price",
    reason="Stated in words: forward 1, backward 2, again forward 1. As a ratio, 4/3.",
)
def _compute_ratio() -> float:
    return float(reversible.reversible_compute_ratio(2))


@claim(
    "F13",
    "The KV cache makes the opposite trade, memory for arithmetic, and that direction usually pays",
    stated=True,
    where=PAGE + "the-mirror-of-the-kv-cache",
    reason="For every model and chip of the catalog a byte held saves more arithmetic than the "
    "chip does in the time of moving it; for activations too, until they no longer fit. The "
    "article leaves this verdict out.",
)
def _memory_for_compute_pays() -> bool:
    ridge = max(
        ridge_point(chip.system(1, "bf16")) for chip in catalog.chips().values() if chip.flops_bf16
    )
    known = catalog.models().values()
    cached = [reversible.cache_flop_per_byte(m) for m in known if m.kv_bytes_per_token]
    kept = [reversible.reversible_flop_per_byte(m, 2) for m in known if m.layers and m.d_model]
    return bool(min(cached) > ridge and min(kept) > 2 * ridge)
