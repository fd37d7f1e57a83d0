"""Fashion-MNIST (Xiao et al. 2017) by the protocol of VTAB-1k: 800 training and 200 validation images, drawn once of
the 60,000, and all 10,000 test images. Writes the folder fashion."""

import gzip
import random
from pathlib import Path

import numpy
from PIL import Image

from sources import FASHION, checked

FILES = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
NAMES = ["t-shirt or top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
FOLDERS = [f"{label}_{name.replace(' ', '_')}" for label, name in enumerate(NAMES)]


def read(part):
    """Images, [count, 28, 28], and labels of a part."""
    images, labels = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
    pixels = gzip.decompress(checked(FASHION + images, FILES[images]).read_bytes())
    classes = gzip.decompress(checked(FASHION + labels, FILES[labels]).read_bytes())
    return numpy.frombuffer(pixels, numpy.uint8, offset=16).reshape(-1, 28, 28), classes[8:]


def write(split, images, labels, chosen):
    for index in chosen:
        folder = Path("fashion", split, FOLDERS[labels[index]])
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[index]).save(folder / f"{index:05}.png")


train, test = read("train"), read("t10k")
drawn = random.Random(0).sample(range(len(train[0])), 1000)
write("train", *train, drawn[:800])
write("val", *train, drawn[800:])
write("test", *test, range(len(test[0])))
Path("fashion/classnames.txt").write_text("".join(f"{f} {n}\n" for f, n in zip(FOLDERS, NAMES)))
print(f"fashion: 800 training, 200 validation and {len(test[0])} test images of {len(NAMES)} classes")
