"""input_ids of conversations by transformers' own Qwen2-VL processor, made offline from a model folder.

    python real_rows.py MODEL_FOLDER IMAGE_FOLDER < ROWS.jsonl

A row holds `messages` whose image parts name files by `path`. Prints one JSON line per row: {"input_ids", "image_grid_thw"}.
"""

import json
import pathlib
import sys

from transformers import PreTrainedTokenizerFast, Qwen2VLImageProcessor, Qwen2VLProcessor, Qwen2VLVideoProcessor
from transformers.image_utils import load_image

model, images = map(pathlib.Path, sys.argv[1:])
settings = json.loads((model / "preprocessor_config.json").read_text())
keep = {key: settings[key] for key in ("patch_size", "merge_size", "min_pixels", "max_pixels")}
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(model / "tokenizer.json"))
processor = Qwen2VLProcessor(
    image_processor=Qwen2VLImageProcessor(**keep),
    tokenizer=tokenizer,
    video_processor=Qwen2VLVideoProcessor(),
    chat_template=(model / "chat_template.jinja").read_text(),
)
for line in sys.stdin:
    messages = json.loads(line)["messages"]
    text = processor.apply_chat_template(messages, tokenize=False)
    parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
    files = [load_image(str(images / part["path"])) for part in parts if part["type"] == "image"]
    out = processor(text=[text], images=files or None)
    grid = out["image_grid_thw"].tolist() if files else []
    print(json.dumps({"input_ids": list(out["input_ids"][0]), "image_grid_thw": grid}))
