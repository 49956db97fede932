"""Writes real images into a folder: several formats, sizes and orientations. Prints their names as a JSON list."""

import json
import pathlib
import sys

from PIL import Image

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
names = []
for suffix, size, orientation in [
    ("png", (640, 480), None),
    ("png", (100, 60), 8),
    ("jpg", (300, 200), None),
    ("jpg", (300, 200), 6),
    ("jpg", (300, 200), 3),
    ("webp", (123, 457), None),
    ("webp", (123, 457), 5),
    ("gif", (77, 99), None),
    ("bmp", (250, 31), None),
    ("tif", (90, 180), None),
    ("tif", (90, 180), 7),
]:
    image = Image.new("RGB", size, (200, 120, 40))
    extra = {}
    if orientation is not None:
        exif = image.getexif()
        exif[0x0112] = orientation
        extra["exif"] = exif
    name = f"{size[0]}x{size[1]}-{orientation or 'plain'}.{suffix}"
    image.save(folder / name, **extra)
    names.append(name)
print(json.dumps(names))
