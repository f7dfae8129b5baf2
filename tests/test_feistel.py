"""Feistel: invertible for any f; SIMON is SIMON; the attack works and knows its end."""

import itertools
from operator import xor

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from memwall import feistel, reversible
from memwall.catalog import table
from memwall.core.units import InputError
from memwall.experiments.feistel import (
    Simon,
    decode,
    encode,
    quiet_difference,
    rotate,
    simon_f,
    words,
)

CIPHER = Simon(32, 64)
word16 = st.integers(0, 0xFFFF)


def oracle(key, rounds):
    """Encrypts chosen blocks with the first `rounds` rounds under a key it does not tell."""
    round_keys = CIPHER.round_keys(key)[:rounds]
    return lambda x, y: CIPHER.encrypt(x, y, round_keys)


def some_key(seed):
    return [int(k) for k in CIPHER.random(np.random.default_rng(seed), 4)]


# --- the wiring -------------------------------------------------------------------------


def test_known_rounds():
    # (3, 4) -> (4 + 9, 3) -> (3 + 26, 13)
    assert encode([lambda x: x * x, lambda x: 2 * x], 3, 4) == (29, 13)


def test_inverse_for_a_function_nobody_specified():
    x, y = sympy.symbols("x y")
    f, g, h = map(sympy.Function, "fgh")
    assert decode([f, g, h], *encode([f, g, h], x, y)) == (x, y)


def test_all_256_functions_of_two_bits_give_a_permutation():
    blocks = list(itertools.product(range(4), repeat=2))
    invertible = 0
    for values in itertools.product(range(4), repeat=4):
        f = values.__getitem__
        invertible += len(set(values)) == 4
        assert len({encode([f], x, y, xor) for x, y in blocks}) == 16
    assert invertible == 24  # 4! of the 4^4 functions are themselves invertible


@given(st.lists(st.lists(word16, min_size=8, max_size=8), min_size=1, max_size=6), word16, word16)
def test_inverse_of_arbitrary_tables(tables, x, y):
    rounds = [lambda v, t=t: t[v % 8] for t in tables]
    assert decode(rounds, *encode(rounds, x, y, xor), xor) == (x, y)
    assert decode(rounds, *encode(rounds, x, y)) == (x, y)


def test_stirring_needs_both_directions():
    # one cell -> its line of n -> still that line -> all n^2
    for axes, reached in (((), 1), ((0,), 6), ((0, 0), 6), ((1, 0), 36)):
        assert feistel.stirred(6, axes).sum() == reached


# --- SIMON ------------------------------------------------------------------------------


@pytest.mark.parametrize("row", table("simon_vectors"), ids=lambda row: row["name"])
def test_published_vectors(row):
    cipher = Simon(int(row["block_bits"]), int(row["key_bits"]))
    round_keys = cipher.round_keys(words(row["key"]))
    plain, secret = words(row["plaintext"]), words(row["ciphertext"])
    assert len(round_keys) == cipher.rounds
    assert list(cipher.encrypt(*plain, round_keys)) == secret
    assert list(cipher.decrypt(*secret, round_keys)) == plain


def test_all_ten_sizes_have_a_vector():
    assert len({row["name"] for row in table("simon_vectors")}) == 10


@pytest.mark.parametrize("row", table("simon_vectors"), ids=lambda row: row["name"])
def test_arrays_and_integers_agree(row):
    cipher = Simon(int(row["block_bits"]), int(row["key_bits"]))
    rng = np.random.default_rng(3)
    key, (x, y) = cipher.random(rng, cipher.key_words, 5), cipher.random(rng, 2, 5)
    many = cipher.encrypt(x, y, cipher.round_keys(key))
    for i in range(5):
        keys = cipher.round_keys([int(k[i]) for k in key])
        assert cipher.encrypt(int(x[i]), int(y[i]), keys) == (int(many[0][i]), int(many[1][i]))


@given(st.lists(word16, min_size=4, max_size=4), word16, word16, st.integers(0, 28))
def test_round_trip_and_schedule_backwards(key, x, y, first):
    keys = CIPHER.round_keys(key)
    assert CIPHER.decrypt(*CIPHER.encrypt(x, y, keys), keys) == (x, y)
    assert CIPHER.key_from(keys[first : first + 4], first) == key


def test_round_function_is_not_invertible():
    # 0 and all ones: every AND of ones is one, and one ^ one = zero
    assert simon_f(0, 16) == simon_f(0xFFFF, 16) == 0
    assert len({simon_f(x, 16) for x in range(1 << 16)}) < 1 << 16


@given(word16, st.integers(-40, 40))
def test_rotation_keeps_the_bits_and_the_round_function(x, places):
    turned = rotate(x, places, 16)
    assert turned.bit_count() == x.bit_count()
    assert rotate(turned, -places, 16) == x
    assert simon_f(turned, 16) == rotate(simon_f(x, 16), places, 16)


# --- avalanche --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flips():
    return feistel.avalanche(CIPHER, 14, samples=1024)


def test_first_rounds_by_hand(flips):
    # nothing has happened: a bit depends on itself alone
    assert np.array_equal(flips[0], np.eye(32))
    # one round: the left half moves right, the right half is added to the left
    assert np.array_equal(flips[1][:16, 16:], np.eye(16))
    assert np.array_equal(flips[1][16:, :16], np.eye(16))
    assert not flips[1][16:, 16:].any()
    # a left bit reaches three bits of the left: surely by <<< 2, half the time by each AND
    rows = np.sort(flips[1][:16, :16], axis=1)
    assert np.all(rows[:, -1] == 1) and np.all(np.abs(rows[:, -3:-1] - 0.5) < 0.1)
    assert not rows[:, :-3].any()


def test_avalanche_grows_to_one_half(flips):
    mean = flips.mean(axis=(1, 2))
    assert np.all(np.diff(mean[:9]) > 0)
    assert np.all(np.abs(mean[10:] - 0.5) < 0.005)
    assert feistel.completeness_round(flips) == 7
    assert feistel.strict_avalanche_round(flips, 1024) in (9, 10)


def test_a_linear_cipher_never_meets_the_criterion():
    table = np.stack([np.eye(4)] * 5)
    assert feistel.strict_avalanche_round(table, 100) is None
    assert feistel.completeness_round(table) is None


def test_trace_fades():
    trace = feistel.strongest_trace(CIPHER, 12)
    assert trace[0] == trace[1] == 1  # the left half is handed on as it is
    assert trace[2:].max() < 6 * 2 * reversible.sampling_error(1 << 12)  # of +-1: twice the error


# --- differences ------------------------------------------------------------------------


@given(word16, word16, word16)
def test_derivative_of_a_quadratic_is_affine(x, a, d):
    slope = feistel.derivative(lambda v: simon_f(v, 16), d)
    assert slope(x) ^ slope(a) ^ slope(0) == slope(x ^ a)


@given(word16, word16, st.integers(0, 0xFFFF))
def test_derivative_of_a_product_is_the_other_factor(x, y, d):
    assert feistel.derivative(lambda v: v & y, d)(x) == d & y


def test_path_by_hand():
    # one active bit touches two ANDs, each quiet half of the time; 0x11 touches four
    assert [feistel.quiet_chance(quiet_difference(i)) for i in (0, 1, 2, 3)] == [
        1,
        0.25,
        0.25,
        1 / 16,
    ]
    assert feistel.path_chance(-2, 4) == 2.0**-14
    assert [quiet_difference(-i) for i in range(9)] == [quiet_difference(i) for i in range(9)]


def test_path_measured_where_rounds_are_independent():
    share = feistel.path_measured(CIPHER, 0, 4, 1 << 17)
    assert share[1] == 1  # difference zero enters the function
    assert share[2] == pytest.approx(2**-2, rel=0.02)
    assert share[3] == pytest.approx(2**-4, rel=0.05)
    assert 2**-8 < share[4] < 2**-7  # two rounds share bits: likelier than the product says


@given(st.floats(1, 1e9), st.floats(0, 1))
def test_right_pairs(pairs, chance):
    assert reversible.right_pairs(pairs, chance) == pytest.approx(pairs * chance)


def test_guessing():
    assert reversible.guess_chance(16) == 1 / 65536
    assert reversible.guess_chance(0) == 1
    # half of the bits of a guessed word are right on average
    rng = np.random.default_rng(0)
    right = [feistel.bits_right(int(a), int(b)) for a, b in rng.integers(0, 1 << 16, (2000, 2))]
    assert np.mean(right) == pytest.approx(8, abs=0.2)


# --- the attack -------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [7, 8, 9])
def test_attack_recovers_the_whole_key(rounds):
    for seed in range(3):
        key = some_key(seed)
        assert feistel.recover_key(oracle(key, rounds), rounds, 1 << 15, seed) == key


def test_attack_reads_the_last_round_key_of_ten_rounds():
    right = []
    for seed in range(6):
        key = some_key(seed)
        count = feistel.votes(oracle(key, 10), 10, 1 << 16, seed)
        guess = feistel.majority(count, np.random.default_rng(seed))
        right.append(feistel.bits_right(guess, CIPHER.round_keys(key)[9]))
    assert np.mean(right) > 15


def test_attack_is_no_better_than_a_guess_on_many_rounds():
    right = []
    for seed in range(12):
        key = some_key(seed)
        count = feistel.votes(oracle(key, 20), 20, 1 << 13, seed)
        guess = feistel.majority(count, np.random.default_rng(seed))
        right.append(feistel.bits_right(guess, CIPHER.round_keys(key)[19]))
    assert 6 < np.mean(right) < 10  # 12 times 16 fair coins: 8, standard error 0.6


def test_votes_of_silence_are_a_coin():
    silent = np.zeros((16, 2), int)
    guesses = {feistel.majority(silent, np.random.default_rng(s)) for s in range(20)}
    assert len(guesses) == 20
    silent[3] = 0, 5
    assert all(feistel.majority(silent, np.random.default_rng(s)) >> 3 & 1 for s in range(20))


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_votes_are_the_same_for_the_same_seed(seed):
    ask = oracle(some_key(1), 7)
    assert np.array_equal(feistel.votes(ask, 7, 512, seed), feistel.votes(ask, 7, 512, seed))


# --- bad input --------------------------------------------------------------------------


def test_unknown_size_names_the_nearest():
    with pytest.raises(InputError, match="SIMON64/128"):
        Simon(64, 129)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CIPHER.round_keys([1, 2, 3]), "4 words, not 3"),
        (lambda: words("65 xyz"), "hexadecimal"),
        (lambda: words(None), "hexadecimal"),
        (lambda: feistel.avalanche(CIPHER, 33), "from 0 to 32"),
        (lambda: feistel.avalanche(CIPHER, 3, samples=0), "samples = 0"),
        (lambda: feistel.votes(oracle([1, 2, 3, 4], 3), 3), "rounds = 3"),
        (lambda: feistel.votes(oracle([1, 2, 3, 4], 8), 8, pairs=0), "pairs = 0"),
        (lambda: feistel.recover_key(oracle([1, 2, 3, 4], 6), 6), "from 7 to 32"),
        (lambda: feistel.avalanche(CIPHER, True), "whole number"),
        (lambda: feistel.quiet_chance(1, word=24), "16 bits"),
        (lambda: reversible.right_pairs(10, 1.5), "probability"),
        (lambda: reversible.guess_chance(-1), "bits"),
        (lambda: reversible.sampling_error(0), "samples"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_random_words_fill_the_whole_range():
    # of 2^20 draws of 16 bits each word is expected 16 times, the first and the last included
    drawn = CIPHER.random(np.random.default_rng(0), 2**20)
    assert drawn.min() == 0 and drawn.max() == 2**16 - 1


def test_a_word_is_16_bits_and_pairs_have_limits():
    assert feistel.quiet_difference(20) == feistel.quiet_difference(20, 16)
    ask = oracle(some_key(0), 7)
    assert feistel.votes(ask, 7, 1).shape == (16, 2)
    for pairs in (0, 2**24 + 1):
        with pytest.raises(InputError, match="pairs"):
            feistel.votes(ask, 7, pairs)


def test_the_usual_number_of_pairs_recovers_the_key():
    key = some_key(3)
    assert feistel.recover_key(oracle(key, 8), 8) == key
