"""RevNet: the same gradients without the memory, the count of the work, and the drift."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import Model, chips, models, reversible, revnet, roofline
from memwall.core.units import InputError
from memwall.experiments.revnet import (
    Layer,
    OnGrid,
    collect,
    metered,
    network,
    relative_error,
    reversible_gradients,
    run,
    stored_gradients,
    tokens,
    unrun,
)

positive = st.floats(1e-3, 1e3)


# --- the arithmetic ---------------------------------------------------------------------


def test_four_thirds():
    # (1 + 2 + 1) / (1 + 2)
    assert reversible.reversible_compute_ratio(2) == pytest.approx(4 / 3)


@given(positive, positive)
def test_ratio_falls_with_the_backward_pass(b, more):
    assert (
        reversible.reversible_compute_ratio(b + more) < reversible.reversible_compute_ratio(b) < 2
    )


@given(st.integers(1, 500), st.integers(1, 500))
def test_stored_grows_with_depth_reversible_does_not(layers, more):
    one = reversible.stored_bytes(layers, 100, 8, 4)
    two = reversible.stored_bytes(layers + more, 100, 8, 4)
    assert two / one == pytest.approx((layers + more) / layers)
    assert "layers" not in reversible.reversible_bytes.units


@given(st.integers(1, 1000), positive, positive, st.floats(1, 1000))
def test_no_segmentation_beats_the_best(layers, state, layer, segments):
    best = max(reversible.best_segments(layers, state, layer), 1)
    least = reversible.checkpointed_bytes(layers, best, state, layer)
    assert least <= reversible.checkpointed_bytes(layers, segments, state, layer) * (1 + 1e-12)


def test_best_segments_is_the_zero_of_the_derivative():
    n, s, a, v = sympy.symbols("n s a v", positive=True)
    slope = sympy.diff(reversible.checkpointed_bytes(n, s, a, v), s)
    assert sympy.solve(slope, s) == [reversible.best_segments(n, a, v)]


def test_reversible_beats_checkpoints_beat_storing():
    # 64 layers, a state of 1 MB, 1 MB a layer: 64, 8 + 8, and 1 + 1
    best = reversible.best_segments(64, 1e6, 1e6)
    assert reversible.stored_bytes(64, 1e6, 1, 1) == 64e6
    assert reversible.checkpointed_bytes(64, best, 1e6, 1e6) == 16e6
    assert reversible.reversible_bytes(1e6, 1, 1, 1) == 2e6


def test_holding_is_cheaper_than_computing_on_every_machine():
    ridges = [roofline.ridge_point(c.system(1, "bf16")) for c in chips().values() if c.flops_bf16]
    held = [reversible.cache_flop_per_byte(m) for m in models().values() if m.kv_bytes_per_token]
    kept = [
        reversible.reversible_flop_per_byte(m, 2)
        for m in models().values()
        if m.layers and m.d_model
    ]
    assert len(ridges) > 10 and len(held) > 8
    assert min(held) > 100 * max(ridges)
    assert min(kept) > 2 * max(ridges)  # written once and read once


def test_adversarial_gain_against_random_weights():
    # |w|_1 = d sqrt(2 / pi), |w|_2 = sqrt(d)
    w = np.random.default_rng(0).standard_normal(10_000)
    assert np.abs(w).sum() / np.linalg.norm(w) == pytest.approx(
        reversible.adversarial_gain(10_000), rel=0.02
    )


# --- gradients --------------------------------------------------------------------------


def loss_of(layers, state):
    return 0.5 * np.sum(run(layers, state) ** 2)


@pytest.fixture(scope="module")
def small():
    return network(6, width=5, hidden=7), tokens(9, 5)


@pytest.mark.parametrize("gradients", [stored_gradients, reversible_gradients])
def test_gradients_against_differences(small, gradients):
    layers, state = small
    found, (gx, gy) = collect(gradients(layers, *state))
    h = 1e-6
    for i in (0, 3, 5):
        for name in ("w1", "w2"):
            up, down = (
                [*layers[:i], moved(layers[i], name, (2, 4), s * h), *layers[i + 1 :]]
                for s in (1, -1)
            )
            slope = (loss_of(up, state) - loss_of(down, state)) / (2 * h)
            assert getattr(found[i], name)[2, 4] == pytest.approx(slope, rel=1e-5)
    for half, gradient in enumerate((gx, gy)):
        step = np.zeros_like(state)
        step[half, 1, 3] = h
        slope = (loss_of(layers, state + step) - loss_of(layers, state - step)) / (2 * h)
        assert gradient[1, 3] == pytest.approx(slope, rel=1e-5)


def moved(layer, name, at, by):
    parts = {"w1": layer.w1.copy(), "w2": layer.w2.copy()}
    parts[name][at] += by
    return Layer(**parts)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 20), st.integers(1, 6), st.floats(0, 1), st.integers(0, 99))
def test_both_ways_agree(depth, width, gain, seed):
    layers, state = network(depth, width, 8, gain, seed=seed), tokens(4, width, seed)
    (a, ga), (b, gb) = (
        collect(g(layers, *state)) for g in (stored_gradients, reversible_gradients)
    )
    assert len(a) == len(b) == depth
    for p, q in zip(a, b, strict=True):
        assert np.allclose(p.w1, q.w1, rtol=1e-8, atol=1e-9)
        assert np.allclose(p.w2, q.w2, rtol=1e-8, atol=1e-9)
    assert np.allclose(ga, gb, rtol=1e-8, atol=1e-9)


def test_training_takes_the_same_steps_and_learns():
    state, label = revnet.hidden_product(256)
    start = network(4, 2, 16, 0.5)
    kept, kept_loss = revnet.train(start, state, label, 120, gradients=stored_gradients)
    layers, loss = revnet.train(start, state, label, 120)
    assert np.allclose(loss, kept_loss, rtol=1e-6)
    assert np.allclose(run(layers, state), run(kept, state), rtol=1e-4, atol=1e-6)
    fresh, truth = revnet.hidden_product(2000, seed=5)
    before, after = (np.corrcoef(run(n, fresh)[0, :, 0], truth)[0, 1] for n in (start, layers))
    assert abs(before) < 0.15 and after > 0.6


# --- memory and work, counted -----------------------------------------------------------


def test_chosen_steps_go_as_far_as_derived():
    # a small step sees a linear map; its random weights give sqrt(2 d / pi) within the sample
    state = tokens(1, 128)
    reach = revnet.adversarial_reach(network(8, 128, 256, 0.5), state)
    assert reach == pytest.approx(reversible.adversarial_gain(256), rel=0.2)


def test_agreement_is_a_correlation():
    # no layers: the output is the input, so its own first value agrees with itself, or not at all
    state = tokens(50, 2)
    label = state[0, :, 0]
    assert revnet.agreement([], state, label) == pytest.approx(1)
    assert revnet.agreement([], state, 3 - 2 * label) == pytest.approx(-1)


@pytest.mark.parametrize("depth", [1, 3, 17])
def test_counted_bytes_and_flop_are_the_formulas(depth):
    layers, state = network(depth, width=8, hidden=24), tokens(50, 8)
    kept = metered(stored_gradients, layers, state)
    none = metered(reversible_gradients, layers, state)
    assert kept.peak == reversible.stored_bytes(depth, 50, 8 + 24, 8)
    assert none.peak == reversible.reversible_bytes(50, 16, 24, 8)
    # a layer: 2 products of 2 n d m FLOP forward, 4 backward
    assert kept.flop == depth * 6 * 2 * 50 * 8 * 24
    assert none.flop / kept.flop == pytest.approx(reversible.reversible_compute_ratio(2))
    assert kept.held == 0


def test_allocated_memory_is_flat_against_linear():
    state = tokens(512, 16)
    shallow, deep = network(8), network(48)
    assert revnet.peak_bytes(reversible_gradients, deep, state) < 1.1 * revnet.peak_bytes(
        reversible_gradients, shallow, state
    )
    assert revnet.peak_bytes(stored_gradients, deep, state) > 4 * revnet.peak_bytes(
        stored_gradients, shallow, state
    )


def test_time_is_measured():
    assert revnet.step_seconds(reversible_gradients, network(4), tokens(64, 16), repeats=2) > 0


# --- drift ------------------------------------------------------------------------------


def test_drift_grows_with_depth_and_shrinks_with_precision():
    half, single, double = (
        revnet.drift([4, 32, 128], kind) for kind in (np.float16, np.float32, np.float64)
    )
    for errors in (half, single, double):
        assert np.all(np.diff(errors) > 0)
    assert np.all(half > 100 * single) and np.all(single > 1e6 * double)


def test_on_a_grid_there_is_no_drift():
    layers = [OnGrid(layer) for layer in network(200, gain=2.0)]
    state = np.rint(tokens(16, 16) * 2**20).astype(np.int64)
    there = run(layers, state)
    assert not np.array_equal(there, state)
    assert np.array_equal(unrun(layers, there), state)


def test_a_network_of_nothing_is_the_identity_up_to_order():
    state = tokens(3, 4)
    assert np.array_equal(run(network(2, 4, 4, gain=0), state), state)
    assert np.array_equal(run(network(1, 4, 4, gain=0), state), state[::-1])


# --- what a difference does -------------------------------------------------------------


def test_sign_flips_begin_with_the_one_that_was_made():
    share = revnet.sign_flips(network(16), 64)
    assert share[0] == pytest.approx(1 / 32)
    assert np.all(np.diff(share) > 0) and share[-1] < 0.5


def test_a_way_around_keeps_the_gradient():
    around = [revnet.chain_gradient(d, 0.2, residual=True) for d in (4, 64)]
    through = [revnet.chain_gradient(d, 0.2, residual=False) for d in (4, 64)]
    assert all(0.5 < g < 4 for g in around)
    assert through[1] < 1e-30 < through[0] < 0.01


# --- bad input --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: network(0), "depth = 0"),
        (lambda: network(2, width=1.5), "width = 1.5"),
        (lambda: network(2, gain=-1), "gain = -1"),
        (lambda: network(2, gain=np.nan), "gain = nan"),
        (lambda: reversible.reversible_compute_ratio(0), "backward"),
        (lambda: reversible.stored_bytes(0, 1, 1, 1), "layers"),
        (
            lambda: reversible.reversible_flop_per_byte(Model(n_total=1e9, n_active=1e9), 2),
            "d_model",
        ),
        (
            lambda: revnet.train(network(6, 2, 16), *revnet.hidden_product(64), 99, rate=30),
            "smaller rate",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_relative_error_by_hand():
    # |(3, 4) - (3, 3)| / |(3, 3)| = 1 / sqrt(18)
    assert relative_error([3, 4], [3, 3]) == pytest.approx(18**-0.5)


# --- by hand ----------------------------------------------------------------------------


def test_formulas_by_hand():
    # 3 layers x 50 tokens x 7 values x 2 bytes; then 50 x (4 + 7) x 2
    assert reversible.stored_bytes(3, 50, 7, 2) == 2100
    assert reversible.reversible_bytes(50, 4, 7, 2) == 1100
    # 4 kept states of 10 bytes and 12 / 4 layers of 5 bytes
    assert reversible.checkpointed_bytes(12, 4, 10, 5) == 55
    assert reversible.best_segments(12, 3, 9) == 6  # sqrt(12 x 9 / 3)
    m = Model(n_total=9e9, n_active=3e9, layers=10, d_model=1000, kv_bytes_per_token=1e5)
    assert reversible.transformer_activation_bytes(m, 4) == 17 * 1000 * 10 * 4
    assert reversible.cache_flop_per_byte(m) == 60_000  # 6e9 / 1e5
    assert reversible.reversible_flop_per_byte(m, 2) == pytest.approx(6e9 / 340_000)
    assert reversible.adversarial_gain(np.pi * 50) == pytest.approx(10)


def test_a_meter_by_hand():
    meter = revnet.MemoryMeter()
    meter.product(2, 3, 5)
    assert meter.flop == 60
    two, one = np.zeros(2), np.zeros(1)
    meter.hold(two, one)
    meter.release(two)
    meter.hold(one)
    assert meter.history == [0, 24, 8, 16] and meter.held == 16 and meter.peak == 24


def test_a_layer_by_hand():
    one = Layer(np.array([[0.5]]), np.array([[3.0]]))
    assert one(np.array([[2.0]])) == pytest.approx(3 * np.tanh(1))
    # on a grid of quarters: 2 steps are 0.5, tanh(0.5 x 0.5) x 3 = 0.735 is 2.94 steps, so 3
    assert OnGrid(one, 0.25)(np.array([[2]])).tolist() == [[3]]
    fine = int(OnGrid(one)(np.array([[2**20]])).item())
    assert fine == round(3 * float(np.tanh(0.5)) * 2**20)


def test_random_layers_keep_the_scale():
    (layer,) = network(1, 100, 400, 0.5)
    assert layer.w1.shape == (100, 400) and layer.w2.shape == (400, 100)
    assert layer.w1.std() == pytest.approx(100**-0.5, rel=0.02)
    assert layer.w2.std() == pytest.approx(0.5 * 400**-0.5, rel=0.02)
    (usual,) = network(1)
    assert usual.w1.shape == (16, 64) and usual.w2.std() == pytest.approx(1 / 8, rel=0.1)
    for bad in ({"depth": True}, {"depth": 1, "hidden": 0}, {"depth": 1, "gain": np.inf}):
        with pytest.raises(InputError):
            network(**bad)


def test_a_step_of_training_goes_down_the_measured_slope():
    state, label = tokens(5, 2), np.array([1.0, -1, 1, 1, -1])
    (layer,) = network(1, 2, 3)

    def loss(layers):
        # half the mean square of what the first output misses
        return float(np.mean((run(layers, state)[0, :, 0] - label) ** 2)) / 2

    (after,), losses = revnet.train([layer], state, label, 1, rate=0.5)
    assert losses == pytest.approx([loss([layer])])
    for name, at in (("w1", (1, 2)), ("w2", (2, 0))):
        up, down = (loss([moved(layer, name, at, h)]) for h in (1e-6, -1e-6))
        step = getattr(after, name)[at] - getattr(layer, name)[at]
        assert step == pytest.approx(-0.5 * (up - down) / 2e-6, rel=1e-5)
    # the usual rate is a tenth
    (usual,), _ = revnet.train([layer], state, label, 1)
    assert usual.w2 - layer.w2 == pytest.approx((after.w2 - layer.w2) / 5)
    # a loss that is large from the start is not a divergence
    _, large = revnet.train([layer], state, 2000 * label, 2, rate=1e-9)
    assert large[1] == pytest.approx(2e6, rel=0.01)


def test_the_hidden_product_is_what_it_says():
    state, label = revnet.hidden_product(40)
    assert state.shape == (2, 40, 2) and (state[1, :, -1] == 1).all()
    assert (label == np.where(state[0, :, 0] * state[0, :, 1] > 0, 1, -1)).all()


def test_the_least_time_of_some(monkeypatch):
    ticks = iter([0.0, 5.0, 10.0, 12.0, 20.0, 23.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    assert revnet.step_seconds(reversible_gradients, network(1), tokens(2, 16), repeats=3) == 2


def test_drift_in_other_words():
    got = revnet.drift([3, 9])
    for depth, error in zip((3, 9), got, strict=True):
        layers = network(depth, 16, 64, 1.0, dtype=np.float32)
        state = tokens(64, 16, dtype=np.float32)
        assert error == relative_error(unrun(layers, run(layers, state)), state)


def test_sign_flips_one_at_a_time():
    layers = network(3, 2, 5)
    state = tokens(6, 2)
    flips = []
    for depth in range(4):
        plain, differ = np.sign(run(layers[:depth], state)), []
        for half, value in np.ndindex(2, 2):
            other = state.copy()
            other[half, :, value] *= -1
            differ.append(np.mean(np.sign(run(layers[:depth], other)) != plain))
        flips.append(np.mean(differ))
    assert revnet.sign_flips(layers, 6) == pytest.approx(flips)
    # a layer that adds nothing hands the one flip of eight signs on
    assert revnet.sign_flips(network(1, 4, 4, gain=0), 8).tolist() == [1 / 8, 1 / 8]


@pytest.mark.parametrize("residual", [True, False])
def test_a_chains_gradient_against_differences(residual):
    layers, x = network(3, 4, 4, 0.7), tokens(1, 4)[0]
    start = np.random.default_rng([0, 2]).standard_normal(x.shape)

    def through(x):
        for layer in layers:
            x = layer(x) + (x if residual else 0)
        return float(np.sum(start * x))

    slope = [(through(x + h) - through(x - h)) / 2e-6 for h in 1e-6 * np.eye(4).reshape(4, 1, 4)]
    wanted = np.linalg.norm(slope) / np.linalg.norm(start)
    assert revnet.chain_gradient(3, 0.7, residual, width=4) == pytest.approx(wanted, rel=1e-6)


def test_reach_of_a_linear_map():
    # no layers: |x + step s|^2 - |x|^2 is 2 step |x|_1 for the chosen signs, to first order;
    # a random toss moves it by 2 step x.s, whose root mean square is 2 step |x|_2
    state = tokens(1, 200)
    wanted = np.abs(state).sum() / np.linalg.norm(state)
    assert revnet.adversarial_reach([], state, 1e-6, draws=4000) == pytest.approx(wanted, rel=0.05)
