"""Writes `__test__/images`: small real image files of every format that lossmask reads, some of them turned by EXIF.

    python scripts/make-test-images.py

Needs Pillow 11.3 or newer, for AVIF. A file is named by its stored size and its EXIF orientation.
"""

import pathlib

from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "__test__" / "images"
COLOUR = (200, 120, 40)

# Stored width and height, EXIF orientation, suffix, how it is saved. Shapes on purpose: square, wide, tall, thin, tiny, with
# sides at and beside multiples of 14, 16, 28, 32.
FILES = [
    (640, 480, None, "png", {"optimize": True}),
    (100, 60, 8, "png", {"optimize": True}),
    (33, 31, None, "png", {"optimize": True}),
    (300, 200, None, "jpg", {"quality": 30}),
    (300, 200, 6, "jpg", {"quality": 30}),
    (300, 200, 3, "jpg", {"quality": 30, "progressive": True}),
    (1023, 341, None, "jpg", {"quality": 10}),
    (123, 457, None, "webp", {"quality": 30}),
    (123, 457, 5, "webp", {"lossless": True}),
    (77, 99, None, "gif", {}),
    (450, 64, None, "bmp", {}),
    (90, 180, None, "tif", {"compression": "tiff_lzw"}),
    (90, 180, 7, "tif", {"compression": "tiff_lzw"}),
    (224, 448, None, "avif", {"quality": 30}),
    (224, 160, 6, "avif", {"quality": 30}),
]


def save(width, height, orientation, suffix, options):
    image = Image.new("RGB", (width, height), COLOUR)
    if suffix == "bmp":
        image = image.convert("1")
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {**options, "exif": exif}
    image.save(FOLDER / f"{width}x{height}-{orientation or 'plain'}.{suffix}", **options)


FOLDER.mkdir(parents=True, exist_ok=True)
for old in FOLDER.iterdir():
    old.unlink()
for file in FILES:
    save(*file)
