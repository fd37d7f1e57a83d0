# Colours of images changed by torchvision, and digests of Pillow's conversions.
#
#     python3 make.py jitter.safetensors        # torchvision 0.28.0, Pillow 13.0.0, numpy 2.4.6
#
# `image` and what each change makes of it, [height, width, 3]: CHANGE.AMOUNT. `chain` applies four of them in the order
# contrast, hue, brightness, saturation. Prints SHA-256 of hue, saturation and value of 2^20 colours, all of red and
# green, red fastest, and every 17th of blue; of the colours that such triples are; and of the greys of the colours.
import hashlib
import importlib.util
import os
import sys
import types

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

# torchvision's own functions, without its compiled operators.
packages = os.path.dirname(os.path.dirname(importlib.util.find_spec("torch").origin))
for name in ["torchvision", "torchvision.transforms"]:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [os.path.join(packages, *name.split("."))]
import torchvision.transforms._functional_pil as functional  # noqa: E402

random = np.random.RandomState(5)
smooth = Image.fromarray(random.randint(0, 256, (3, 4, 3), dtype=np.uint8)).resize((23, 9), Image.BICUBIC)
noise = random.randint(0, 256, (7, 23, 3), dtype=np.uint8)
image = Image.fromarray(np.concatenate([np.array(smooth), noise]))

out = {"image": np.array(image), "greys": np.array(functional.to_grayscale(image, 3))}
amounts = {
    "brightness": [0.0, 0.6, 0.93, 1.0, 1.4], "contrast": [0.0, 0.6, 1.27, 1.4], "saturation": [0.0, 0.6, 1.09, 1.4],
    "hue": [-0.5, -0.1, -0.0021, 0.0, 0.05, 0.0997, 0.5],
}
for change, values in amounts.items():
    for value in values:
        out[f"{change}.{value}"] = np.array(getattr(functional, f"adjust_{change}")(image, value))
chained = image
for change, value in [("contrast", 1.3), ("hue", -0.07), ("brightness", 0.8), ("saturation", 1.2)]:
    chained = getattr(functional, f"adjust_{change}")(chained, value)
out["chain"] = np.array(chained)
save_file(out, sys.argv[1])

levels = np.arange(1 << 20, dtype=np.uint32)
triples = np.stack([levels & 255, levels >> 8 & 255, (levels >> 16) * 17], 1).astype(np.uint8).reshape(1024, 1024, 3)
colours, hsv = Image.fromarray(triples), Image.frombytes("HSV", (1024, 1024), triples.tobytes())
for name, converted in [("hsv", colours.convert("HSV")), ("rgb", hsv.convert("RGB")), ("greys", colours.convert("L"))]:
    print(name, hashlib.sha256(np.array(converted)).hexdigest())
