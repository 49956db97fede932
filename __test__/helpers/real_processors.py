"""Runs real processors of transformers on synthetic images and prints what they put in the place of each placeholder.

Reads requests as JSON lines on stdin: {"family", "params", "images": [[width, height], ...]}. For each one it prints a JSON line
{"counts": [...], "grid": {...}} with the processor's own values, {"refused": "reason"}, or {"skipped": "reason"} where this installation
cannot build the processor. Nothing is downloaded: image processors are made from their classes and the parameters of the request.
"""

import json
import sys

import numpy
import torch  # noqa: F401  (transformers needs it for its image processors)
import transformers
from PIL import Image

MERGED = {"qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_5", "glm4v", "glm46v", "paddleocr_vl"}


def processor(family, params):
    """The image processor of a family with these parameters, and how tokens are counted from what it returns."""
    p = params
    if family in MERGED:
        name = {
            "glm4v": "Glm4vImageProcessor",
            "glm46v": "Glm46VImageProcessor",
            "paddleocr_vl": "PaddleOCRVLImageProcessor",
        }.get(family, "Qwen2VLImageProcessor")
        size = {"shortest_edge": p["min_pixels"], "longest_edge": p["max_pixels"]}
        made = getattr(transformers, name)(size=size, patch_size=p["patch_size"], merge_size=p["merge_size"])
        return made, lambda out: [int(g.prod()) // p["merge_size"] ** 2 for g in out["image_grid_thw"]], ["image_grid_thw"]
    if family == "internvl":
        made = transformers.GotOcr2ImageProcessor(size={"height": p["tile_size"], "width": p["tile_size"]}, min_patches=p["min_patches"], max_patches=p["max_patches"], crop_to_patches=p["crop_to_patches"])
        return made, lambda out: [int(n) * p["image_seq_length"] for n in out["num_patches"]], ["num_patches"]
    if family == "aya_vision":
        made = transformers.GotOcr2ImageProcessor(size={"height": p["img_size"], "width": p["img_size"]}, min_patches=p["min_patches"], max_patches=p["max_patches"], crop_to_patches=True)
        side = p["img_size"] // (p["patch_size"] * p["downsample_factor"])
        return made, lambda out: [int(n) * side * side for n in out["num_patches"]], ["num_patches"]
    if family == "gemma4":
        made = transformers.Gemma4ImageProcessor(max_soft_tokens=p["max_soft_tokens"])
        return made, lambda out: [int(n) for n in out["num_soft_tokens_per_image"]], ["num_soft_tokens_per_image"]
    if family == "phi4_multimodal":
        made = transformers.Phi4MultimodalImageProcessor(dynamic_hd=p["dynamic_hd"])
        return made, lambda out: [int(n) for n in out["num_img_tokens"]], ["image_sizes", "num_img_tokens"]
    if family in ("idefics3", "smolvlm"):
        name = "Idefics3ImageProcessor" if family == "idefics3" else "SmolVLMImageProcessor"
        made = getattr(transformers, name)(size={"longest_edge": p["longest_edge"]}, max_image_size={"longest_edge": p["max_image_size"]}, do_image_splitting=p["do_image_splitting"], return_row_col_info=True)
        count = lambda out: [(int(r) * int(c) + 1) * p["image_seq_len"] for r, c in zip(out["rows"][0], out["cols"][0])]
        return made, count, ["rows", "cols"]
    if family == "lfm2_vl":
        made = transformers.Lfm2VlImageProcessor(do_image_splitting=p["do_image_splitting"], use_thumbnail=p["use_thumbnail"], return_row_col_info=True)
        return made, None, ["image_sizes", "image_rows", "image_cols"]
    if family == "ovis2":
        size = {"height": p["size"], "width": p["size"]}
        made = transformers.Ovis2ImageProcessor(size=size, crop_to_patches=p["crop_to_patches"], min_patches=p["min_patches"], max_patches=p["max_patches"], use_covering_area_grid=p["use_covering_area_grid"])
        tokens = lambda r, c: p["image_seq_length"] * (1 if r * c == 1 else r * c + 1)
        return made, lambda out: [tokens(int(r), int(c)) for r, c in out["grids"]], ["grids"]
    if family == "minicpmv4_6":
        made = transformers.MiniCPMV4_6ImageProcessor(max_slice_nums=p["max_slice_nums"], scale_resolution=p["scale_resolution"], slice_mode=p["slice_mode"])
        return made, None, ["grids", "target_sizes", "num_patches_per_image"]
    if family == "cohere2_vision":
        made = transformers.Cohere2VisionImageProcessor(max_patches=p["max_patches"])
        return made, lambda out: [int(n) * p["patch_size"] ** 2 for n in out["num_patches"]], ["num_patches"]
    if family == "llama4":
        made = transformers.Llama4ImageProcessor(max_patches=p["max_patches"], resize_to_max_canvas=p["resize_to_max_canvas"])
        count = lambda out: [144 * (1 if a * b == 1 else a * b + 1) for a, b in out["aspect_ratios"].tolist()]
        return made, count, ["aspect_ratios"]
    if family == "mllama":
        made = transformers.MllamaImageProcessor(size={"height": p["tile_size"], "width": p["tile_size"]}, max_image_tiles=p["max_image_tiles"])
        return made, lambda out: [1] * len(out["num_tiles"][0]), ["num_tiles", "aspect_ratio_ids"]
    if family in ("pixtral", "mistral3"):
        cell = p["patch_size"] * p["spatial_merge_size"]
        made = transformers.PixtralImageProcessor(size={"longest_edge": p["longest_edge"]}, patch_size={"height": cell, "width": cell})
        count = lambda out: [(int(h) // cell) * (int(w) // cell) for h, w in numpy.array(out["image_sizes"]).reshape(-1, 2)]
        return made, count, ["image_sizes"]
    raise NotImplementedError(family)


def plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, numpy.integer) else value


def answer(request):
    try:
        made, count, names = processor(request["family"], request["params"])
    except (AttributeError, ImportError, NotImplementedError, KeyError) as error:
        return {"skipped": f"{type(error).__name__}: {error}"}
    images = [Image.new("RGB", (width, height)) for width, height in request["images"]]
    try:
        out = made(images=[images] if request["family"] == "llama4" else images, return_tensors="pt" if request["family"] != "mllama" else "np")
    except ValueError as error:
        return {"refused": str(error)}
    grid = {name: plain(out[name]) for name in names if name in out}
    return {"grid": grid} if count is None else {"counts": count(out), "grid": grid}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
