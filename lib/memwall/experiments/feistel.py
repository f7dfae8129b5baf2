"""Feistel: an invertible map out of a function that need not be, and what it hides.

One wiring runs through the chapter. A layer keeps half of its state and adds a function
of that half to the other, then the halves change places:

    (x, y)  ->  (y + f(x), x)          and back:  (x, y)  ->  (y, x - f(y)).

Nothing is asked of f: it is only ever run forwards. With words of bits and exclusive or
for the sum this is a block cipher (`Simon`, here, from its designers' specification);
with real numbers it is a reversible network (`revnet`).

    f   round function          r       rounds            c   one difference of a path
    k   round key, one word     word    bits of a half    p   probability
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import add, sub, xor
from typing import Any

import numpy as np

from ..core.nouns import suggest
from ..core.units import InputError, whole
from ..formulas.reversible import sampling_error

Rounds = Sequence[Callable[[Any], Any]]
Pair = tuple[Any, Any]


# --- the wiring -------------------------------------------------------------------------


def encode(rounds: Rounds, x: Any, y: Any, plus: Callable[[Any, Any], Any] = add) -> Pair:
    """Send a pair through the layers: (x, y) -> (y + f(x), x) for each f of `rounds`.

    The values may be numbers, arrays or symbols; `plus` is the sum (`operator.xor` for bits).

    >>> encode([lambda x: x * x], 3, 4)
    (13, 3)
    """
    for f in rounds:
        x, y = plus(y, f(x)), x
    return x, y


def decode(rounds: Rounds, x: Any, y: Any, minus: Callable[[Any, Any], Any] = sub) -> Pair:
    """Undo `encode` with the same layers, last one first, each still run forwards.

    >>> decode([lambda x: x * x], 13, 3)
    (3, 4)
    """
    for f in reversed(rounds):
        x, y = y, minus(x, f(y))
    return x, y


def stirred(size: int, axes: Sequence[int], seed: int = 0) -> np.ndarray:
    """Which cells of a square one cell has reached, after stirring along these axes in turn.

    Each stir replaces every line along the axis by mixtures of that line alone.

    >>> [int(stirred(8, axes).sum()) for axes in ((), (0,), (0, 0), (0, 1))]
    [1, 8, 8, 64]
    """
    grid = np.zeros((size, size))
    grid[size // 2, size // 3] = 1
    for mixture, axis in zip(
        np.random.default_rng(seed).standard_normal((len(axes), size, size)), axes, strict=True
    ):
        grid = mixture @ grid if axis == 0 else grid @ mixture
    return grid != 0


# --- SIMON ------------------------------------------------------------------------------

# The designers' table: (block bits, key bits) -> (rounds, which constant sequence)
_SIZES = {
    (32, 64): (32, 0), (48, 72): (36, 0), (48, 96): (36, 1), (64, 96): (42, 2),
    (64, 128): (44, 3), (96, 96): (52, 2), (96, 144): (54, 3), (128, 128): (68, 2),
    (128, 192): (69, 3), (128, 256): (72, 4),
}  # fmt: skip

# Three shift-register sequences of period 31; the last three constants alternate every bit
_U, _V, _W = (
    "1111101000100101011000011100110",
    "1000111011111001001100001011010",
    "1000010010110011111000110111010",
)
_CONSTANTS = tuple(
    [int(base[i % 31]) ^ (i % 2 if alternate else 0) for i in range(62)]
    for base, alternate in ((_U, False), (_V, False), (_U, True), (_V, True), (_W, True))
)


def rotate(value: Any, places: int, word: int) -> Any:
    """A word's bits moved left by `places` (right if negative), those that fall off put back.

    >>> rotate(0x8001, 1, word=16)
    3
    """
    places %= word
    return ((value << places) | (value >> (word - places))) & ((1 << word) - 1)


def and_part(x: Any, word: int) -> Any:
    """The one place where SIMON is not linear: each bit is the product of two others.

    >>> and_part(0b1000_0001, word=16)  # bits 7 and 0 meet at bit 8
    256
    """
    return rotate(x, 1, word) & rotate(x, 8, word)


def simon_f(x: Any, word: int) -> Any:
    """SIMON's round function: (x <<< 1) and (x <<< 8), exclusive or (x <<< 2). Not invertible.

    >>> simon_f(1, word=16)
    4
    """
    return and_part(x, word) ^ rotate(x, 2, word)


@dataclass(frozen=True)
class Simon:
    """The SIMON block cipher of a given block and key size (Beaulieu et al. 2013).

    Words are Python integers or unsigned NumPy arrays alike, so that one call encrypts a million
    blocks, each under a key of its own. A key is a list of words, printed order (last word k_0).
    """

    block_bits: int = 32
    key_bits: int = 64

    def __post_init__(self) -> None:
        if (self.block_bits, self.key_bits) not in _SIZES:
            names = [f"SIMON{b}/{k}" for b, k in _SIZES]
            hint = suggest(str(self), names)
            raise InputError(f"no {self}.{hint} The sizes are {', '.join(names)}")

    def __str__(self) -> str:
        return f"SIMON{self.block_bits}/{self.key_bits}"

    @property
    def word(self) -> int:
        """Bits of half a block."""
        return self.block_bits // 2

    @property
    def key_words(self) -> int:
        """Words in a key."""
        return self.key_bits // self.word

    @property
    def rounds(self) -> int:
        """Rounds of the full cipher."""
        return _SIZES[self.block_bits, self.key_bits][0]

    @property
    def dtype(self) -> Any:
        """The smallest NumPy type that holds a word."""
        return np.dtype(f"u{2 if self.word <= 16 else 4 if self.word <= 32 else 8}")

    def round_keys(self, key: Sequence[Any]) -> list[Any]:
        """The keys of all rounds, first round first, from the words of a key."""
        if len(key) != self.key_words:
            raise InputError(f"{self} takes a key of {self.key_words} words, not {len(key)}")
        keys = list(reversed(key))
        while len(keys) < self.rounds:
            keys.append(
                keys[-self.key_words] ^ self._mixture(keys[-self.key_words + 1 :], len(keys))
            )
        return keys

    def key_from(self, round_keys: Sequence[Any], first: int) -> list[Any]:
        """The key whose schedule contains these consecutive round keys from round `first` on."""
        keys = list(round_keys[: self.key_words])
        for i in range(first - 1, -1, -1):
            keys = [keys[-1] ^ self._mixture(keys[:-1], i + self.key_words), *keys[:-1]]
        return list(reversed(keys))

    def _mixture(self, keys: Sequence[Any], i: int) -> Any:
        """What the schedule adds to round key i - m: the later keys, rotated, and a constant."""
        rolled = rotate(keys[-1], -3, self.word)
        if self.key_words == 4:
            rolled = rolled ^ keys[0]
        constants = _CONSTANTS[_SIZES[self.block_bits, self.key_bits][1]]
        constant = ((1 << self.word) - 4) ^ constants[(i - self.key_words) % 62]
        return rolled ^ rotate(rolled, -1, self.word) ^ constant

    def layers(self, round_keys: Sequence[Any]) -> Rounds:
        """The round functions, one for each key: a Feistel network needs nothing else."""
        return [functools.partial(self._layer, key=key) for key in round_keys]

    def _layer(self, x: Any, key: Any) -> Any:
        return simon_f(x, self.word) ^ key

    def encrypt(self, x: Any, y: Any, round_keys: Sequence[Any]) -> Pair:
        """Encrypt a block given as its two words; fewer round keys make a weaker cipher."""
        return encode(self.layers(round_keys), x, y, xor)

    def decrypt(self, x: Any, y: Any, round_keys: Sequence[Any]) -> Pair:
        """Undo `encrypt`."""
        return decode(self.layers(round_keys), x, y, xor)

    def random(self, rng: np.random.Generator, *shape: int) -> Any:
        """Uniformly random words."""
        return rng.integers(0, 1 << self.word, size=shape, dtype=self.dtype)


def words(text: str) -> list[int]:
    """Hexadecimal words as the designers print them, most significant first.

    >>> words("6565 6877")
    [25957, 26743]
    """
    try:
        return [int(word, 16) for word in text.split()]
    except (ValueError, AttributeError):
        raise InputError(f"{text!r} is not a row of hexadecimal words") from None


# --- avalanche --------------------------------------------------------------------------


def avalanche(cipher: Simon, rounds: int, samples: int = 2048, seed: int = 0) -> np.ndarray:
    """How often each output bit flips when one input bit is flipped, after 0, 1, ... rounds.

    Returns probabilities of shape (rounds + 1, input bits, output bits), over random blocks and
    random keys. Bits run from the most significant of the left word to the least of the right.
    """
    rounds = whole("rounds", rounds, 0, cipher.rounds)
    samples = whole("samples", samples, 1, 1 << 24)
    rng = np.random.default_rng(seed)
    keys = cipher.round_keys(cipher.random(rng, cipher.key_words, samples))
    x, y = cipher.random(rng, 2, samples)
    one = np.zeros((cipher.block_bits, 2), cipher.dtype)
    for i in range(cipher.block_bits):
        one[i, i // cipher.word] = 1 << (cipher.word - 1 - i % cipher.word)
    other_x, other_y = x ^ one[:, :1], y ^ one[:, 1:]
    table = np.empty((rounds + 1, cipher.block_bits, cipher.block_bits))
    for r in range(rounds + 1):
        if r:
            x, y = cipher.encrypt(x, y, [keys[r - 1]])
            other_x, other_y = cipher.encrypt(other_x, other_y, [keys[r - 1]])
        for half, difference in enumerate((x ^ other_x, y ^ other_y)):
            for j in range(cipher.word):
                flipped = (difference >> (cipher.word - 1 - j)) & 1
                table[r, :, half * cipher.word + j] = flipped.mean(axis=1)
    return table


def strongest_trace(
    cipher: Simon, rounds: int, samples: int = 1 << 12, seed: int = 0
) -> np.ndarray:
    """Largest correlation of any output bit with any input bit after 0, 1, ... rounds, one key.

    What the simplest reader would find in the ciphertext: 1 is all, sampling noise is nothing.
    """
    rng = np.random.default_rng(seed)
    keys = cipher.round_keys([int(k) for k in cipher.random(rng, cipher.key_words)])
    x, y = cipher.random(rng, 2, samples)
    signs = _signs(x, y, cipher.word)
    found = [1.0]
    for r in range(whole("rounds", rounds, 0, cipher.rounds)):
        x, y = cipher.encrypt(x, y, [keys[r]])
        found.append(float(np.abs(signs @ _signs(x, y, cipher.word).T).max() / samples))
    return np.array(found)


def _signs(x: Any, y: Any, word: int) -> np.ndarray:
    """The bits of many blocks as rows of +1 and -1."""
    return np.concatenate([1.0 - 2.0 * ((half >> np.arange(word)[:, None]) & 1) for half in (x, y)])


def completeness_round(table: np.ndarray) -> int | None:
    """The first round after which every output bit has been seen to depend on every input bit."""
    return _first(np.all(table > 0, axis=(1, 2)))


def strict_avalanche_round(table: np.ndarray, samples: int) -> int | None:
    """The first round from which on no entry can be told from one half.

    The criterion (Webster and Tavares 1985) asks for exactly one half everywhere; a sample can only
    fail to refute it, so the largest deviation is held against five standard errors.
    """
    worst = np.abs(table - 0.5).max(axis=(1, 2))
    holds = worst < 5 * float(sampling_error(samples))
    return _first(np.logical_and.accumulate(holds[::-1])[::-1])


def _first(holds: np.ndarray) -> int | None:
    return int(np.argmax(holds)) if holds.any() else None


# --- differences ------------------------------------------------------------------------


def derivative(f: Callable[[Any], Any], d: Any) -> Callable[[Any], Any]:
    """The derivative over the two-element field: x -> f(x ^ d) ^ f(x).

    >>> derivative(lambda x: simon_f(x, 16), 1)(0)
    4
    """
    return lambda x: f(x ^ d) ^ f(x)


def quiet_difference(i: int, word: int = 16) -> int:
    """Difference i of the path on which every AND stays quiet: c(i+1) = c(i-1) ^ (c(i) <<< 2).

    c(0) = 0 and c(1) = 1; the path is the same in both directions of time, c(-i) = c(i).

    >>> [hex(quiet_difference(i)) for i in range(6)]
    ['0x0', '0x1', '0x4', '0x11', '0x40', '0x111']
    """
    before, here = 1, 0  # c(-1), c(0)
    for _ in range(abs(i)):
        before, here = here, before ^ rotate(here, 2, word)
    return here


def quiet_chance(difference: int, word: int = 16) -> float:
    """Exact chance that the AND passes nothing on: counted over all 2^word inputs.

    >>> quiet_chance(1)
    0.25
    """
    if word != 16:
        raise InputError(f"counting every input is meant for words of 16 bits, not {word}")
    x = np.arange(1 << 16, dtype=np.uint16)
    return float(np.mean(derivative(lambda v: and_part(v, word), difference)(x) == 0))


def path_chance(first: int, last: int) -> float:
    """Chance of the quiet path through differences first..last, rounds taken as independent.

    >>> path_chance(0, 2) == 2**-4
    True
    """
    return float(np.prod([quiet_chance(quiet_difference(i)) for i in range(first, last + 1)]))


def path_measured(cipher: Simon, first: int, rounds: int, pairs: int, seed: int = 0) -> np.ndarray:
    """Share of random pairs found on the quiet path after 0, 1, ... rounds, keys random too."""
    rng = np.random.default_rng(seed)
    keys = cipher.round_keys(cipher.random(rng, cipher.key_words, pairs))
    x, y = cipher.random(rng, 2, pairs)
    u, v = x ^ quiet_difference(first, cipher.word), y ^ quiet_difference(first - 1, cipher.word)
    share = [1.0]
    for r in range(whole("rounds", rounds, 1, cipher.rounds)):
        x, y = cipher.encrypt(x, y, [keys[r]])
        u, v = cipher.encrypt(u, v, [keys[r]])
        left, right = (quiet_difference(first + r + i, cipher.word) for i in (1, 0))
        share.append(float(np.mean((x ^ u == left) & (y ^ v == right))))
    return np.array(share)


# --- the attack -------------------------------------------------------------------------

Oracle = Callable[[Any, Any], Pair]
_LAST = 4  # the path ends on difference c(4): its right pairs name six key bits each


def votes(oracle: Oracle, rounds: int, pairs: int = 1 << 16, seed: int = 0,
          turns: Sequence[int] = (0, 1, 4, 5)) -> np.ndarray:  # fmt: skip
    """Votes for each bit of the last round key of SIMON32 cut to `rounds` rounds.

    `oracle` encrypts blocks of our choice. Pairs are made so that the first round is passed for
    free, sent along the quiet path, and kept if what can be seen of the last two rounds fits. On a
    pair that fits, the derivative of a product is the other factor: the difference we see *is* a
    bit of the state, and that bit, exclusive or a known one, is a bit of the key.

    `turns` rotates the path, which SIMON cannot tell apart; these four cover all sixteen bits.
    Returns shape (16, 2): votes for 0 and for 1, least significant bit first.
    """
    rounds = whole("rounds", rounds, 4, 32)
    pairs = whole("pairs", pairs, 1, 1 << 24)
    rng = np.random.default_rng(seed)
    c = [quiet_difference(i) for i in range(_LAST - rounds + 3, _LAST + 2)]  # free, path, end
    count = np.zeros((16, 2), int)
    for turn in turns:
        free, start, last, end = (rotate(d, turn, 16) for d in (c[0], c[1], c[-2], c[-1]))
        x, y = rng.integers(0, 1 << 16, size=(2, pairs), dtype=np.uint16)
        # the key enters after f, so the first round's difference is ours to choose
        there = y ^ start ^ derivative(lambda v: simon_f(v, 16), free)(x)
        (x1, y1), (x2, y2) = oracle(x, y), oracle(x ^ free, there)
        # one round back: the key cancels in the difference
        seen1, seen2 = x1 ^ simon_f(y1, 16), x2 ^ simon_f(y2, 16)
        # two rounds back: what the AND passed on, if the pair was on the path
        passed = y1 ^ y2 ^ last ^ rotate(end, 2, 16)
        by_1, by_8 = rotate(end, 1, 16), rotate(end, 8, 16)
        fits = (seen1 ^ seen2 == end) & (passed & ~np.uint16(by_1 | by_8) == 0)
        seen, passed = seen1[fits], passed[fits]
        for places, active in ((8, by_1 & ~by_8), (1, by_8 & ~by_1)):
            named = rotate(active, -places, 16)  # the key bits that these positions name
            said = (rotate(passed, -places, 16) ^ seen) & named
            for bit in range(16):
                if named >> bit & 1:
                    ones = int(((said >> bit) & 1).sum())
                    count[bit] += (len(said) - ones, ones)
    return count


def majority(count: np.ndarray, rng: np.random.Generator) -> int:
    """The word most votes are for; a coin decides where they are tied or absent."""
    lead = count[:, 1] - count[:, 0]
    bits = np.where(lead == 0, rng.integers(0, 2, len(lead)), lead > 0)
    return int((bits.astype(int) << np.arange(len(lead))).sum())


def recover_key(oracle: Oracle, rounds: int, pairs: int = 1 << 16, seed: int = 0) -> list[int]:
    """The whole key of SIMON32 cut to `rounds` rounds, from blocks of our choice alone.

    Reads the last round key, peels that round off, and goes on; four round keys in a row are the
    key, run backwards through its schedule.
    """
    cipher = Simon(32, 64)
    rounds = whole("rounds", rounds, 4 + cipher.key_words - 1, cipher.rounds)
    rng = np.random.default_rng([seed, 1])
    found: list[int] = []
    for known in range(cipher.key_words):
        peeled = functools.partial(_peel, oracle, cipher, list(found))
        count = votes(peeled, rounds - known, pairs, seed + known)
        found.insert(0, majority(count, rng))
    return cipher.key_from(found, rounds - cipher.key_words)


def _peel(oracle: Oracle, cipher: Simon, known: list[int], x: Any, y: Any) -> Pair:
    return cipher.decrypt(*oracle(x, y), known)


def bits_right(guess: Any, truth: Any, word: int = 16) -> int:
    """How many bits of a word were guessed right.

    >>> bits_right(0b1100, 0b1010)
    14
    """
    return word - int(guess ^ truth).bit_count()
