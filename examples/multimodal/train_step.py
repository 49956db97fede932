"""One training step on prepared multimodal rows, offline: a small random Qwen2-VL, pixels from the image processor alone.

    python train_step.py ROWS.jsonl IMAGE_FOLDER MODEL_FOLDER

ROWS.jsonl holds rows as `lossmask preprocess --format jsonl` writes them: input_ids, labels, media. The model folder's
preprocessor_config.json and tokenizer.json are those that the rows were made with; the model itself is random and as large as the
largest id. Prints one JSON object: loss, placeholders in the rows, features of the model.
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


def image_processor(folder):
    settings = json.loads(pathlib.Path(folder, "preprocessor_config.json").read_text())
    return Qwen2VLImageProcessor(**{key: settings[key] for key in ("patch_size", "merge_size", "min_pixels", "max_pixels")})


def image_token_of(folder):
    tokens = json.loads(pathlib.Path(folder, "tokenizer.json").read_text())["added_tokens"]
    return next(token["id"] for token in tokens if token["content"] == "<|image_pad|>")


def grid_of(item):
    return next(grid["values"] for grid in item["grid"] if grid["name"] == "image_grid_thw")


def main(rows_file, folder, model_folder):
    rows = [json.loads(line) for line in open(rows_file, encoding="utf-8")]
    media = [item for row in rows for item in row["media"]]
    image_token = image_token_of(model_folder)
    files = [Image.open(pathlib.Path(folder, item["reference"])) for item in media]
    images = [ImageOps.exif_transpose(file).convert("RGB") for file in files]
    pixels = image_processor(model_folder)(images=images, return_tensors="pt")
    grids = [grid_of(item) for item in media]
    assert pixels["image_grid_thw"].tolist() == grids, "the rows were made for other images or another processor"

    batch = pad(rows)
    model = small_model(max(int(batch["input_ids"].max()), image_token) + 1, image_token)
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
