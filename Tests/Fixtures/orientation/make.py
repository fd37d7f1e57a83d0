"""Photos of all eight EXIF orientations in three formats, and the digests of what Pillow makes of them.

python3 make.py, with Pillow 13.0.0: writes the pictures and expected.json (ImageOps.exif_transpose, then RGB).
"""

import hashlib
import json
from PIL import Image, ImageOps

WIDTH, HEIGHT = 12, 8
picture = Image.new("RGB", (WIDTH, HEIGHT))
picture.putdata([(20 * x, 30 * y, 255 if x < 4 and y < 4 else 40) for y in range(HEIGHT) for x in range(WIDTH)])
expected = {}
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix, options in [("jpg", {"quality": 90}), ("png", {}), ("webp", {"lossless": True})]:
        name = f"{orientation}.{suffix}"
        picture.save(name, exif=exif, **options)
        upright = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
        expected[name] = {
            "width": upright.width, "height": upright.height,
            "sha256": hashlib.sha256(upright.tobytes()).hexdigest(),
        }
with open("expected.json", "w") as file:
    json.dump(expected, file, indent=1, sort_keys=True)
    file.write("\n")
