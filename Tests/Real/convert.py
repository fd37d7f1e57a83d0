"""Converts what package managers install into folders that frugal reads; see `Tests/real`.

    convert.py fashion SOURCE OUT     Fashion-MNIST's IDX files -> OUT/{train,val,test}/CLASS/*.png
    convert.py emoji GEMOJIONE NOTO EMOJI_TEST OUT
                                      two styles of the same emoji -> OUT/{categories,pairs}
    convert.py dinov2 ONNX OUT        the backbone of a saliency model -> timm's names, OUT/model.safetensors
"""

import gzip
import io
import json
import os
import re
import sys

import numpy


def folder(*parts):
    path = os.path.join(*parts)
    os.makedirs(path, exist_ok=True)
    return path


def fashion(source, out):
    """VTAB-1k's protocol: 800 training and 200 validation images drawn from the 60,000, all 10,000 for testing."""
    from PIL import Image

    names = [
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ]

    def read(part):
        with gzip.open(f"{source}/{part}-images-idx3-ubyte.gz") as file:
            images = numpy.frombuffer(file.read(), numpy.uint8, offset=16).reshape(-1, 28, 28)
        with gzip.open(f"{source}/{part}-labels-idx1-ubyte.gz") as file:
            return images, numpy.frombuffer(file.read(), numpy.uint8, offset=8)

    def write(images, labels, chosen, split):
        for index in chosen:
            label = labels[index]
            place = folder(out, split, f"{label}_{names[label].replace(' ', '_')}")
            Image.fromarray(images[index]).convert("RGB").save(f"{place}/{index:05}.png")

    images, labels = read("train")
    order = numpy.random.RandomState(0).permutation(len(labels))
    write(images, labels, order[:800], "train")
    write(images, labels, order[800:1000], "val")
    images, labels = read("t10k")
    write(images, labels, range(len(labels)), "test")


def emoji(gemojione, noto, emoji_test, out):
    """Emoji of one code point that both have: eight groups as classes, 3 of 5 for training, 1 of 5 each for
    validation and testing; other emoji are tested than are trained on, in the style trained on and in the other."""
    from fontTools.ttLib import TTFont
    from PIL import Image

    font = TTFont(noto)
    glyphs = font.getBestCmap()
    bitmaps = {}
    for strike in font["CBDT"].strikeData:
        bitmaps.update({name: glyph for name, glyph in strike.items() if hasattr(glyph, "imageData")})

    found, group = [], None
    for line in open(emoji_test, encoding="utf8"):
        if line.startswith("# group:"):
            group = line.split(":")[1].strip()
        match = re.match(r"([0-9A-F]+)(?: FE0F)?\s*; fully-qualified\s*# \S+ E[\d.]+ (.*)", line)
        if not match or group in ("Component", "Flags"):
            continue
        file = f"{gemojione}/{match[1]}.png"
        glyph = glyphs.get(int(match[1], 16))
        if os.path.exists(file) and glyph in bitmaps:
            found.append((match[1], match[2], group, file, bitmaps[glyph].imageData))

    def flat(image):
        image = image.convert("RGBA")
        side = max(image.size)
        square = Image.new("RGBA", (side, side), "white")
        square.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
        return square.convert("RGB").resize((64, 64), Image.LANCZOS)

    groups = sorted({item[2] for item in found}, key=[item[2] for item in found].index)
    order = numpy.random.RandomState(0).permutation(len(found))
    for rank, index in enumerate(order):
        code, name, group, file, data = found[index]
        label = groups.index(group)
        place = f"{label}_{re.sub('[^a-z]+', '_', group.lower())}"
        pictures = {"emojione": flat(Image.open(file)), "noto": flat(Image.open(io.BytesIO(data)))}
        split = ("train", "train", "train", "val", "test")[rank % 5]
        for trained, tested in (("emojione", "emojione"), ("emojione", "noto"), ("noto", "emojione")):
            style = tested if split == "test" else trained
            task = f"{trained}-{tested}" if trained != tested else trained
            pictures[style].save(f"{folder(out, 'categories', task, split, place)}/{code}.png")
        pairs = folder(out, "pairs")
        for style, picture in pictures.items():
            if style == "emojione" or split != "test":
                picture.save(f"{pairs}/{code}-{style}.png")
                with open(f"{pairs}/captions.jsonl", "a", encoding="utf8") as captions:
                    line = {"file": f"{code}-{style}.png", "text": [f"an emoji of {name}", f"{name}, {group.lower()}"]}
                    captions.write(json.dumps(line) + "\n")


def dinov2(onnx_file, out):
    """The initialisers of an exported DINOv2 ViT-S/14: linear maps are stored transposed under made-up names, so that
    the node that reads one says whose it is."""
    import onnx
    from onnx import numpy_helper
    from safetensors.numpy import save_file

    graph = onnx.load(onnx_file).graph
    values = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        match = re.match(r"/backbone/encoder/layer\.(\d+)/(.*)/MatMul$", node.name)
        if match and node.input[1] in values:
            path = match[2].replace("/", ".")
            values[f"backbone.encoder.layer.{match[1]}.{path}.weight"] = values[node.input[1]].T
    inputs = {node.name: node.input for node in graph.node}
    positions = [values[inputs[f"/backbone/embeddings/{name}"][0]] for name in ("Concat_6", "Reshape_1")]
    tensors = {
        "cls_token": values["backbone.embeddings.cls_token"],
        "pos_embed": numpy.concatenate(positions, axis=1),
        "patch_embed.proj.weight": values["backbone.embeddings.patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": values["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": values["backbone.layernorm.weight"],
        "norm.bias": values["backbone.layernorm.bias"],
    }
    for block in range(12):
        old, new = f"backbone.encoder.layer.{block}.", f"blocks.{block}."
        for part in ("weight", "bias"):
            tensors[f"{new}attn.qkv.{part}"] = numpy.concatenate(
                [values[f"{old}attention.attention.{name}.{part}"] for name in ("query", "key", "value")])
            for theirs, ours in (
                ("norm1", "norm1"), ("norm2", "norm2"), ("attention.output.dense", "attn.proj"),
                ("mlp.fc1", "mlp.fc1"), ("mlp.fc2", "mlp.fc2"),
            ):
                tensors[f"{new}{ours}.{part}"] = values[f"{old}{theirs}.{part}"]
        tensors[f"{new}ls1.gamma"] = values[f"{old}layer_scale1.lambda1"]
        tensors[f"{new}ls2.gamma"] = values[f"{old}layer_scale2.lambda1"]
    folder(out)
    save_file({name: numpy.ascontiguousarray(array) for name, array in tensors.items()}, f"{out}/model.safetensors")
    side = int((tensors["pos_embed"].shape[1] - 1) ** 0.5)
    with open(f"{out}/config.json", "w", encoding="utf8") as file:
        json.dump({
            "architecture": "vit_small_patch14_dinov2", "num_classes": 0, "num_features": 384,
            "model_args": {"img_size": 14 * side}, "pretrained_cfg": {
                "input_size": [3, 14 * side, 14 * side], "interpolation": "bicubic",
                "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "num_classes": 0,
            },
        }, file, indent=2)


if __name__ == "__main__":
    {"fashion": fashion, "emoji": emoji, "dinov2": dinov2}[sys.argv[1]](*sys.argv[2:])
