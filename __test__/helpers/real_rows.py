"""input_ids of conversations by transformers' own processors, built offline from model folders.

Reads requests as JSON lines on stdin: {"model": folder, "processor": class, "files": folder, "rows": [...]}. Image and audio parts of
a row's messages name files by `path`; sounds are WAV of 16 bits. Prints one JSON line per request: {"input_ids": [[...], ...]},
{"skipped": "reason"} where this installation has no such processor, or {"failed": "reason"}.
"""

import importlib.machinery
import json
import pathlib
import sys
import types
import wave

import numpy

# SmolVLM's processor does not start without it, and needs it for videos alone.
try:
    import num2words  # noqa: F401
except ImportError:
    stand_in = sys.modules["num2words"] = types.ModuleType("num2words")
    stand_in.num2words = str
    stand_in.__spec__ = importlib.machinery.ModuleSpec("num2words", None)

import transformers  # noqa: E402
from transformers.image_utils import load_image  # noqa: E402


def load_sound(path):
    with wave.open(str(path)) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype=numpy.int16) / 32768


def input_ids(processor, messages, folder):
    parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
    of = lambda kind, load: [load(str(folder / part["path"])) for part in parts if part["type"] == kind]
    images, sounds = of("image", load_image), of("audio", load_sound)
    text = processor.tokenizer.apply_chat_template(messages, tokenize=False)
    media = {**({"images": [images]} if images else {}), **({"audio": sounds} if sounds else {})}
    return [int(id) for id in processor(text=[text], **media)["input_ids"][0]]


def answer(request):
    try:
        processor_class = getattr(transformers, request["processor"])
        processor = processor_class.from_pretrained(request["model"])
    except (AttributeError, ImportError) as error:
        return {"skipped": f"{type(error).__name__}: {error}"}
    folder = pathlib.Path(request["files"])
    return {"input_ids": [input_ids(processor, row["messages"], folder) for row in request["rows"]]}


def safe_answer(request):
    try:
        return answer(request)
    except Exception as error:  # told to the test, which fails with it
        return {"failed": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(safe_answer(json.loads(line))), flush=True)
