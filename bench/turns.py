"""What a long conversation costs the peers beside its tokenization, where this Python has them.

The cases of `cargo run --example cost -- --json` come on stdin; out goes, as JSON, a list of {peer: {seconds, ratio, sameLabels}} for each
case, and what is absent. The ratio is to the same tokenizer's tokenization of the text in the same process.
"""

import json
import sys
import time


def best(call, times):
    found = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        call()
        found = min(found, time.perf_counter() - start)
    return found


def tokenizer_of(job):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(job["folder"])
    tokenizer.chat_template = job["source"]
    for name, token in job["variables"].items():
        if name == "bos_token":
            tokenizer.bos_token = token or None
    return tokenizer


def transformers(job, tokenizer):
    """`apply_chat_template(return_assistant_tokens_mask=True)`"""

    def call():
        return tokenizer.apply_chat_template(
            job["messages"], tokenize=True, return_dict=True, return_assistant_tokens_mask=True, **variables(job)
        )

    row = call()
    assert row["input_ids"] == job["ids"], "transformers renders another text"
    mask = [label != -100 for label in job["labels"]]
    return call, [bool(value) for value in row["assistant_masks"]] == mask


def axolotl(job, tokenizer):
    """The `chat_template` strategy of one row."""
    from axolotl.prompt_strategies.chat_template import ChatTemplatePrompter, ChatTemplateStrategy

    prompter = ChatTemplatePrompter(
        tokenizer, job["source"], max_length=1 << 20, chat_template_kwargs=variables(job),
        message_property_mappings={"role": "role", "content": "content"},
    )
    strategy = ChatTemplateStrategy(
        prompter, tokenizer, train_on_inputs=False, sequence_len=1 << 20, roles_to_train=["assistant"], train_on_eos="turn",
    )
    strategy.messages = "messages"

    def call():
        return strategy.tokenize_prompt({"messages": job["messages"]})

    row = call()
    return call, list(row["labels"]) == job["labels"]


def variables(job):
    return {name: value for name, value in job["variables"].items() if name != "bos_token"}


def main():
    quick = "--quick" in sys.argv
    cases, absent = [], set()
    for case in json.load(sys.stdin):
        job, figures = case["job"], {}
        try:
            tokenizer = tokenizer_of(job)
        except ImportError as error:
            absent.add(f"transformers: {error}")
            break
        tokenization = best(lambda: tokenizer(job["text"], add_special_tokens=False), 3 if quick else 20)
        for peer in (transformers, axolotl):
            try:
                call, same = peer(job, tokenizer)
            except (ImportError, AttributeError) as error:
                absent.add(f"{peer.__name__}: {error}")
                continue
            seconds = best(call, 1 if quick else 5)
            figures[peer.__name__] = {"seconds": seconds, "ratio": seconds / tokenization, "sameLabels": same}
        cases.append(figures)
    json.dump({"cases": cases, "absent": sorted(absent)}, sys.stdout)


main()
