"""Planner: a model, some traffic and a budget, answered with chips, waits and dollars.

    plan("DeepSeek-V3", "H200", chips=8, users=64, prompt=2000, output=500)
    alternatives("Llama-3.1-70B", rate=20, prompt=2000, output=500, token_rate=30, first_token=1)
    python -m memwall.planner DeepSeek-V3 H200 --chips 8 --concurrency 64 --format json
    python -m memwall.planner config.json --rate 20 --chips-allowed H100,H200 --token-rate 30

Here live the two questions, one deployment (`plans`) and what could serve a traffic (`search`), and
their command. No formula lives here, those are `formulas.deployment`; nor does the page.
"""

from memwall.planner.plans import MONTH, Plan, in_words, plan, read_model
from memwall.planner.search import USERS, Option, alternatives, in_a_sentence

__all__ = [
    "MONTH",
    "USERS",
    "Option",
    "Plan",
    "alternatives",
    "in_a_sentence",
    "in_words",
    "plan",
    "read_model",
]
