"""The peers on the rows of this bench, where this Python has them: prints {peer: tokens per second} as JSON.

The rows come on stdin as {"rows": [[id, ...], ...], "labels": [[label, ...], ...]}; a peer whose labels differ is an error.
"""

import json
import sys
import time

IM_START, IM_END, TAIL = 151644, 151645, 198
ROLES = {"system": 8948, "user": 872, "assistant": 77091, "tool": 14172}


def timed(call, tokens):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return tokens / best


def axolotl(rows, labels):
    import torch
    from axolotl.processing_strategies import RoleBoundary
    from axolotl import processing_strategies as strategies

    torch.set_num_threads(1)
    ids = torch.tensor(rows)
    boundaries = [RoleBoundary(role, [IM_START, token, TAIL], [IM_END]) for role, token in ROLES.items()]
    figures = {}
    for name in ("_compute_role_keep_mask", "_compute_role_keep_mask_vectorized"):
        scan = getattr(strategies, name)
        call = lambda: scan(ids, boundaries, {"assistant"}, "turn")
        keep = call()
        assert torch.where(keep, ids, -100).tolist() == labels, name
        figures["axolotl " + ("vectorized" if name.endswith("vectorized") else "reference")] = timed(call, ids.numel())
    return figures


def main():
    job = json.load(sys.stdin)
    figures, absent = {}, []
    for peer in (axolotl,):
        try:
            figures.update(peer(job["rows"], job["labels"]))
        except (ImportError, AttributeError) as error:
            absent.append(f"{peer.__name__}: {error}")
    # TRL's collator and Unsloth's function are not in their current packages in a form that takes ids alone.
    json.dump({"tokensPerSecond": figures, "absent": absent}, sys.stdout)


main()
