"""Requests from the command line: a load served by an engine, and who waited how long.

    python -m memwall.requests --pace 6e-3 1.4e-5 1.6e-8 --rate 8 --prompt 1155 --output 211
    python -m memwall.requests Llama-3.1-70B H100 --chips 8 --rate 4 --prompt 2000 --output 500
    python -m memwall.requests Llama-3.1-70B H100 --chips 8 --rate 4 --traffic chat
    python -m memwall.requests ... --load requests.csv --out served.csv

An engine is given by its pace (a step's fixed time, seconds a token, seconds a cached token read), or by a
model and chips, whose forecast then gives the pace and whose memory the room. Requests have the lengths you
give, or those of public traffic, or stand in a CSV with the columns arrival (seconds), prompt and output
(tokens). CSV out has a line a request.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from memwall.core.nouns import Workload
from memwall.core.tables import write_csv
from memwall.core.units import InputError, human
from memwall.experiments.requests import ARRIVALS, Limits, load, read_load, simulate, traffic
from memwall.formulas import forecast
from memwall.formulas.deployment import pace as deployed_pace
from memwall.formulas.serving import Pace

POLICIES = {"optimistic": 0.0, "guess": 0.5, "no-eviction": 1.0}


class _Help(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """The examples as they were written, and each default."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, "") else super()._get_help_string(action)


def _parser() -> argparse.ArgumentParser:
    say = argparse.ArgumentParser(
        prog="python -m memwall.requests", description=__doc__, formatter_class=_Help
    )
    say.add_argument("model", nargs="?", help="a model of the catalog, or a config.json")
    say.add_argument("chip", nargs="?", help="a chip of the catalog")
    say.add_argument("--chips", type=int, default=1, help="chips of the replica")
    say.add_argument("--weights", default="", help="width the weights are stored in")
    say.add_argument("--cache", default="bf16", help="width of the cache")
    say.add_argument(
        "--pace", type=float, nargs=3, metavar=("FIXED", "TOKEN", "CACHED"),
        help="seconds of a step, of each token in it, of each cached token read",
    )  # fmt: skip
    arrive = say.add_argument_group("arrivals")
    arrive.add_argument("--arrivals", choices=ARRIVALS, default="poisson", help="how they come")
    arrive.add_argument("--rate", type=float, default=1.0, help="requests a second")
    arrive.add_argument("--users", type=int, default=16, help="users of a closed loop")
    arrive.add_argument("--burstiness", type=float, default=3.0, help="spread of bursty gaps")
    arrive.add_argument("--count", type=int, default=2000, help="requests")
    arrive.add_argument(
        "--traffic", choices=traffic(), help="lengths and share cached of public traffic"
    )
    arrive.add_argument("--prompt", type=float, default=1000, help="mean tokens of a prompt")
    arrive.add_argument(
        "--prompt-spread", type=float, default=0.0, help="standard deviation over mean"
    )
    arrive.add_argument("--output", type=float, default=200, help="mean tokens of an answer")
    arrive.add_argument(
        "--output-spread", type=float, default=0.0, help="standard deviation over mean"
    )
    arrive.add_argument("--seed", type=int, default=0, help="of what is drawn at random")
    arrive.add_argument("--load", help="CSV of requests: arrival, prompt, output")
    limit = say.add_argument_group("engine")
    limit.add_argument("--room", type=float, help="tokens of cache; what fits if left out")
    limit.add_argument("--page", type=int, default=16, help="tokens of a page of cache")
    limit.add_argument("--batched-tokens", type=int, default=8192, help="tokens of a step at most")
    limit.add_argument("--sequences", type=int, default=1024, help="requests in a step at most")
    limit.add_argument("--policy", choices=POLICIES, default="optimistic", help="admission")
    limit.add_argument(
        "--cached", type=float, default=0.0, help="share of prompts found in a cache"
    )
    limit.add_argument("--drafts", type=int, default=0, help="tokens guessed a step")
    limit.add_argument("--acceptance", type=float, default=0.7, help="chance that a guess is right")
    limit.add_argument("--prefill-engines", type=int, default=0, help="a pool that reads prompts")
    limit.add_argument(
        "--transfer", type=float, default=0.0, help="seconds a token of prompt takes between pools"
    )
    say.add_argument("--ttft", type=float, help="target of the first token, for the goodput")
    say.add_argument("--tpot", type=float, help="target of a further token, for the goodput")
    say.add_argument("--out", help="CSV of what became of each request; - for standard output")
    say.add_argument("--format", choices=("text", "csv"), default="text", help="of the summary")
    return say


def _engine(options: Any) -> tuple[Pace, float, Callable[[int], float] | None]:
    """The pace, the tokens of cache, and the fixed time by how many run."""
    if options.pace:
        return Pace(*options.pace), options.room or float("inf"), None
    if not options.model or not options.chip:
        raise InputError("an engine is a model and a chip, or --pace with its three numbers")
    from memwall.planner import plan

    p = plan(options.model, options.chip, options.chips, weights=options.weights, cache=options.cache,
             prompt=options.prompt, output=options.output, users=max(options.users, 2),
             batched_tokens=options.batched_tokens)  # fmt: skip
    if not p.fits:
        raise InputError(" ".join(p.notes))
    users = np.arange(1.0, options.sequences + 1)
    swept = Workload(prompt=options.prompt, output=options.output, users=users)
    found = deployed_pace(
        p.checkpoint, p.system, p.layout, swept, p.engine, forecast.fitted(p.kind)
    )
    fixed = np.broadcast_to(found.fixed, users.shape)
    middle = Pace(
        float(fixed[0]), float(np.mean(found.per_token)), float(np.mean(found.per_cached))
    )
    room = options.room or p.cache_tokens
    return middle, room, lambda running: float(fixed[min(max(running, 1), len(fixed)) - 1])


def _bar(done: int, all_: int) -> None:
    width = 30 * done // all_
    end = "\n" if done >= all_ else ""
    print(
        f"\r[{'#' * width:30}] {done:,} of {all_:,} requests", end=end, file=sys.stderr, flush=True
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.traffic:  # what stands on the line beside it still counts
        found = traffic()[given.traffic]
        kept = ("prompt", "prompt_spread", "output", "output_spread", "cached")
        parser.set_defaults(**{name: getattr(found, name) for name in kept})
    options = parser.parse_args(arguments)
    try:
        pace, room, fixed = _engine(options)
        asked = read_load(options.load) if options.load else load(
            options.count, rate=options.rate, arrivals=options.arrivals,
            burstiness=options.burstiness, users=options.users, prompt=options.prompt,
            prompt_spread=options.prompt_spread, output=options.output,
            output_spread=options.output_spread, seed=options.seed,
        )  # fmt: skip
        limits = Limits(
            room=room, page=options.page, batched_tokens=options.batched_tokens,
            sequences=options.sequences, reserve=POLICIES[options.policy], cached=options.cached,
            drafts=options.drafts, acceptance=options.acceptance if options.drafts else 0.0,
            prefill_engines=options.prefill_engines, transfer=options.transfer,
        )  # fmt: skip
        served = simulate(asked, pace, limits, fixed, _bar if sys.stderr.isatty() else None)
    except (InputError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.out:
        served.write(sys.stdout if options.out == "-" else options.out)
    if options.format == "csv":
        write_csv(sys.stdout, served.summary())
        return 0
    if options.out != "-":
        _say(served, options)
    return 0


def _say(served: Any, options: Any) -> None:
    print(f"{len(served.arrival):,} requests in {human(served.span, 's')}, {served.steps:,} steps, "
          f"busy {human(served.busy / served.span, '%')} of the time")  # fmt: skip
    print(f"{'':6} {'mean':>10} {'p50':>10} {'p90':>10} {'p99':>10}")
    for row in served.summary():
        times = " ".join(f"{human(row[k], 's'):>10}" for k in ("mean", "p50", "p90", "p99"))
        print(f"{row['time']:6} {times}")
    rate = len(served.arrival) / served.span
    print(
        f"{human(rate)} requests/s, {human(served.outputs.sum() / served.span, 'token/s')} written"
    )
    if served.preempted.any():
        print(f"{human(float((served.preempted > 0).mean()), '%')} of requests were thrown out at least once; "
              f"{human(served.read_again / served.passed, '%')} of all tokens were read again")  # fmt: skip
    if options.ttft or options.tpot:
        good = served.goodput(options.ttft or float("inf"), options.tpot or float("inf"))
        print(f"goodput: {human(good)} requests/s within the targets")


if __name__ == "__main__":
    sys.exit(main())
