"""One training step on prepared multimodal rows, offline: a small random Qwen2-VL, pixels from the image processor alone.

    python train_step.py ROWS.jsonl IMAGE_FOLDER

ROWS.jsonl holds rows as lossmask writes them: input_ids, labels, images, image_grid_thw. The vocabulary is made as large as the largest
id, so the rows of any Qwen2-VL tokenizer will do. Prints one JSON object: loss, placeholders in the rows, features of the model.
"""

import json
import pathlib
import sys

import torch
from PIL import Image, ImageOps
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLImageProcessor


def pad(rows):
    length = max(len(row["input_ids"]) for row in rows)
    fill = lambda name, value: torch.tensor([row[name] + [value] * (length - len(row[name])) for row in rows])
    mask = torch.tensor([[1] * len(row["input_ids"]) + [0] * (length - len(row["input_ids"])) for row in rows])
    return {"input_ids": fill("input_ids", 0), "labels": fill("labels", -100), "attention_mask": mask}


def small_model(vocabulary, image_token):
    vision = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2}
    text = {
        "vocab_size": vocabulary,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
    }
    config = Qwen2VLConfig(text_config=text, vision_config=vision, image_token_id=image_token)
    torch.manual_seed(0)
    return Qwen2VLForConditionalGeneration(config)


def main(rows_file, folder):
    rows = [json.loads(line) for line in open(rows_file, encoding="utf-8")]
    image_token = 151655
    processor = Qwen2VLImageProcessor()
    images = [ImageOps.exif_transpose(Image.open(pathlib.Path(folder, name))).convert("RGB") for row in rows for name in row["images"]]
    pixels = processor(images=images, return_tensors="pt")
    grids = [grid for row in rows for grid in row["image_grid_thw"]]
    assert pixels["image_grid_thw"].tolist() == grids, "the rows were made for other images or another processor"

    batch = pad(rows)
    model = small_model(int(batch["input_ids"].max()) + 1, image_token)
    features = model.model.get_image_features(pixels["pixel_values"], pixels["image_grid_thw"])
    features = getattr(features, "pooler_output", features)
    count = sum(len(feature) for feature in features)
    placeholders = int((batch["input_ids"] == image_token).sum())
    assert count == placeholders, f"{count} features for {placeholders} placeholders"

    kinds = (batch["input_ids"] == image_token).int()
    loss = model(**batch, **pixels, mm_token_type_ids=kinds).loss
    loss.backward()
    print(json.dumps({"loss": float(loss.detach()), "placeholders": placeholders, "features": count}))


if __name__ == "__main__":
    main(*sys.argv[1:])
