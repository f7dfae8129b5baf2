"""The planner as a command: see `--help`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from memwall.core.tables import write_csv
from memwall.core.units import InputError, whole
from memwall.planner import alternatives, plan


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m memwall.planner`: 0 if it fits, 1 if it does not, 2 for input that cannot be."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.rate is None and asked.users is None:
            return _print_plan(asked)
        return _print_alternatives(asked)
    except InputError as error:
        print(f"memwall.planner: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m memwall.planner",
        description="Chips, waits and dollars of a model under some traffic. Without a layout, the "
        "usual one is chosen and said; with --rate or --users, whatever could serve it is compared.",
        epilog="Exit status: 0 if it fits, 1 if it does not, 2 for input that cannot be.",
    )
    add = parser.add_argument
    add("model", help="a name of the catalog, or a config.json")
    add("chip", nargs="?", help="a name of the catalog")
    add("--chips", type=int, default=1, help="in all")
    for name, words in (
        ("tp", "chips that cut each matrix"), ("dp", "copies of attention, each for its own users"),
        ("ep", "pieces of the set of experts"), ("pp", "stages of layers"),
    ):  # fmt: skip
        add(f"--{name}", type=int, help=words)
    add("--replicas", type=int, default=1, help="equal parts of the chips, each a model of its own")
    add("--weights", default="", help="fp8, nvfp4, awq, Q4_K_M, ...; as released if left out")
    add("--cache", default="bf16", help="bf16 or fp8 (also 16, 8)")
    add(
        "--engine",
        default="vLLM",
        help='"vLLM", "vLLM 0.10", "SGLang": whose rules share out memory',
    )
    add("--memory-share", type=float, help="gpu_memory_utilization, mem_fraction_static")
    add("--batched-tokens", type=float, help="tokens of the largest pass")
    add("--max-sequences", type=float, help="sequences at once, at most")
    add("--eager", action="store_true", help="no captured graphs")
    add("--allowance", type=float, help="bytes of a chip for driver and libraries")
    add("--drafts", type=float, default=0, help="further tokens guessed in a step: speculation")
    add("--acceptance", type=float, help="chance that a guess is right, with --drafts")
    add("--concurrency", type=float, default=64, help="requests in flight on each replica")
    add("--prompt", type=float, default=2000, help="tokens of a prompt")
    add("--output", type=float, default=500, help="tokens of an answer")
    add("--cached", type=float, default=0.0, help="share of a prompt found in a cache")
    add("--rent", type=float, help="dollars an hour of a chip")
    add("--rate", type=float, help="requests a second in all: compare what could serve them")
    add("--users", type=float, help="or users at once in all; the four below go with either")
    add("--first-token", type=float, default=2.0, help="seconds allowed to it")
    add("--token-rate", type=float, default=20.0, help="tokens a second a user")
    add("--chips-allowed", help="names with commas")
    add("--most", type=int, default=64, help="chips of a replica at most")
    add("--format", choices=("text", "json", "csv"), default="text")
    return parser


def _print_plan(asked: argparse.Namespace) -> int:
    if not asked.chip:
        raise InputError("which chip? Name one, or give --rate or --users to compare several")
    found = plan(
        asked.model, asked.chip, asked.chips, tp=asked.tp, dp=asked.dp, ep=asked.ep, pp=asked.pp,
        replicas=asked.replicas, users=asked.concurrency, prompt=asked.prompt, output=asked.output,
        cached=asked.cached, weights=asked.weights, cache=asked.cache, engine=asked.engine,
        memory_share=asked.memory_share, batched_tokens=asked.batched_tokens,
        max_sequences=asked.max_sequences, eager=asked.eager, allowance=asked.allowance,
        drafts=asked.drafts, acceptance=asked.acceptance, dollars_per_hour=asked.rent,
    )  # fmt: skip
    answer = found.as_dict()
    if asked.format == "json":
        print(json.dumps(answer, indent=2))
    elif asked.format == "csv":
        write_csv(sys.stdout, [_flat(answer)])
    else:
        print(found)
    return 0 if found.fits else 1


def _print_alternatives(asked: argparse.Namespace) -> int:
    names = (asked.chips_allowed or asked.chip or "H100,H200,B200").split(",")
    names = [name.strip() for name in names]
    whole("most", asked.most)
    options = alternatives(
        asked.model, rate=asked.rate, users=asked.users, prompt=asked.prompt, output=asked.output,
        cached=asked.cached,
        first_token=asked.first_token, token_rate=asked.token_rate, chips=names, most=asked.most,
        weights=asked.weights, cache=asked.cache, engine=asked.engine,
        memory_share=asked.memory_share, batched_tokens=asked.batched_tokens,
        max_sequences=asked.max_sequences, drafts=asked.drafts, acceptance=asked.acceptance,
        rents=None if asked.rent is None else dict.fromkeys(names, asked.rent),
    )  # fmt: skip
    rows = [option.as_dict() for option in options]
    if asked.format == "json":
        print(json.dumps({"alternatives": rows}, indent=2))
    elif asked.format == "csv":
        write_csv(sys.stdout, rows)
    else:
        for option in options:
            print(option)
    return 0 if any(not option.fails for option in options) else 1


def _flat(answer: dict[str, Any]) -> dict[str, Any]:
    """One row of a nested answer: step_parts.experts, and lists in one cell."""
    row: dict[str, Any] = {}
    for name, value in answer.items():
        if isinstance(value, dict):
            row |= {f"{name}.{inner}": v for inner, v in _flat(value).items()}
        elif isinstance(value, list | tuple):
            row[name] = "; ".join(map(str, value))
        else:
            row[name] = "" if value is None else value
    return row


if __name__ == "__main__":
    raise SystemExit(main())
