# A tiny CLIP's image tower in the form of `timm`, whose blocks the authors' code of encoder tunings changes; dropout is
# off. Three steps of SGD as in Tests/Fixtures/encoders/make.py, compared with what it stored; or made here, for models
# of the sizes that the authors' code is written for.
import math

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from common import FIXTURES, QuickGELU, fixture, report

WIDTH, HEADS, BLOCKS, BATCH, CLASSES, EMBEDDING = 8, 2, 2, 4, 5, 6
labels = torch.arange(BATCH) * 3 % CLASSES
numbers = fixture("encoders/encoders.safetensors")


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.num_heads, self.scale = HEADS, (WIDTH // HEADS) ** -0.5
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.attn_drop = self.proj_drop = nn.Identity()

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(2, (3, HEADS, WIDTH // HEADS)).permute(2, 0, 3, 1, 4)
        return self.proj(((q @ k.transpose(-2, -1)) * self.scale).softmax(-1).matmul(v).transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(WIDTH, hidden), nn.Linear(hidden, WIDTH)
        self.act, self.drop = QuickGELU(), nn.Identity()

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn, self.mlp = Attention(), Mlp(hidden)
        self.drop_path = self.drop_path1 = self.drop_path2 = nn.Identity()

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def fill(module, weights, name, weight="weight", bias="bias"):
    with torch.no_grad():
        module.weight.copy_(weights[f"{name}{weight}"])
        module.bias.copy_(weights[f"{name}{bias}"])


def fill_block(block, weights, index):
    name = f"visual.transformer.resblocks.{index}"
    fill(block.norm1, weights, f"{name}.ln_1.")
    fill(block.norm2, weights, f"{name}.ln_2.")
    fill(block.attn.qkv, weights, f"{name}.attn.in_proj_")
    fill(block.attn.proj, weights, f"{name}.attn.out_proj.")
    fill(block.mlp.fc1, weights, f"{name}.mlp.c_fc.")
    fill(block.mlp.fc2, weights, f"{name}.mlp.c_proj.")


class Tower(nn.Module):
    """A CLIP's image tower around blocks of `timm`."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights
        hidden = len(weights["visual.transformer.resblocks.0.mlp.c_fc.bias"])
        self.blocks = nn.ModuleList([Block(hidden) for _ in range(BLOCKS)])
        self.pre, self.post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        fill(self.pre, weights, "visual.ln_pre.")
        fill(self.post, weights, "visual.ln_post.")
        for index, block in enumerate(self.blocks):
            fill_block(block, weights, index)
        self.requires_grad_(False)
        self.eval()

    def embedded(self, images):
        kernel = self.weights["visual.conv1.weight"]
        x = F.conv2d(images, kernel, stride=kernel.shape[2]).flatten(2).transpose(1, 2)
        x = torch.cat([self.weights["visual.class_embedding"].expand(len(x), 1, -1), x], 1)
        return self.pre(x + self.weights["visual.positional_embedding"])

    def forward(self, images):
        x = self.embedded(images)
        for block in self.blocks:
            x = block(x)
        return self.projected(self.post(x[:, 0]))

    def projected(self, x):
        return x @ self.weights["visual.proj"]


def logits(features, text):
    return math.exp(2.5) * F.normalize(features, dim=-1) @ F.normalize(text, dim=-1).T


def steps(name, numbers, forward, parts):
    """Three steps of SGD from `start`: losses, what is trained at the end, logits.

    - parts: by names in a delta, a parameter and how what the fixture holds lies in it.
    """
    parameters = []
    for key, (parameter, view) in parts.items():
        parameter.requires_grad_()
        with torch.no_grad():
            view(parameter).copy_(numbers[f"{name}.start.{key}"])
        if not any(parameter is other for other in parameters):
            parameters.append(parameter)
    optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    losses = []
    for _ in range(3):
        loss = F.cross_entropy(logits(forward(numbers["images"]), numbers["text"]), labels)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ends = {key: view(parameter).detach().clone() for key, (parameter, view) in parts.items()}
    return torch.stack(losses), ends, logits(forward(numbers["images"]), numbers["text"]).detach()


def compare(name, source, numbers, forward, parts, file="encoders/encoders.safetensors"):
    assert set(parts) == {key.removeprefix(f"{name}.start.") for key in numbers if key.startswith(f"{name}.start.")}
    losses, ends, found = steps(name, numbers, forward, parts)
    report.add(name, source, "losses of 3 steps", file, [(losses, numbers[f"{name}.losses"])])
    report.add(name, source, "trained tensors", file, [(ends[k], numbers[f"{name}.end.{k}"]) for k in parts])
    report.add(name, source, "logits", file, [(found, numbers[f"{name}.logits"])])


def whole(parameter):
    return parameter


def squeezed(parameter):
    return parameter.squeeze(-1)


def bind(function, module):
    module.forward = function.__get__(module, type(module))


def drawn(hidden, side, patch):
    """A model and images of other sizes."""
    out = {}

    def draw(name, *shape, scale=1.0, mean=0.0):
        out[name] = (mean + scale * (2 * torch.rand(*shape) - 1)).float().double()

    def norm(name):
        draw(f"{name}.weight", WIDTH, scale=0.2, mean=1)
        draw(f"{name}.bias", WIDTH, scale=0.2)

    draw("visual.conv1.weight", WIDTH, 3, patch, patch, scale=0.4)
    draw("visual.class_embedding", WIDTH)
    draw("visual.positional_embedding", side * side + 1, WIDTH)
    draw("visual.proj", WIDTH, EMBEDDING, scale=0.6)
    for name in ["visual.ln_pre", "visual.ln_post"]:
        norm(name)
    for i in range(BLOCKS):
        name = f"visual.transformer.resblocks.{i}"
        norm(f"{name}.ln_1")
        norm(f"{name}.ln_2")
        for part, rows, width in [("attn.in_proj_", 3 * WIDTH, WIDTH), ("attn.out_proj.", WIDTH, WIDTH),
                                  ("mlp.c_fc.", hidden, WIDTH), ("mlp.c_proj.", WIDTH, hidden)]:
            draw(f"{name}.{part}weight", rows, width, scale=0.6)
            draw(f"{name}.{part}bias", rows, scale=0.3)
    draw("images", BATCH, 3, patch * side, patch * side, scale=1.5)
    draw("text", CLASSES, EMBEDDING, scale=2)
    return out


def make(name, numbers, forward, parts, scales):
    """Adds what the authors' code makes of a start at random, in single precision."""
    for key, (parameter, view) in parts.items():
        scale = next((scale for part, scale in scales.items() if key.endswith(part)), 1)
        start = scale * (2 * torch.rand(*view(parameter).shape) - 1)
        numbers[f"{name}.start.{key}"] = start.float().double()
    losses, ends, found = steps(name, numbers, forward, parts)
    numbers.update({f"{name}.end.{key}": value for key, value in ends.items()})
    numbers[f"{name}.losses"], numbers[f"{name}.logits"] = losses, found


def store(file, numbers, sources):
    """A file of Tests/Fixtures/encoders, in single precision; one entry of metadata, as several have no order."""
    origins = [f"{s.repository} {s.commit} {s.path}: {s.names}, sha256 {s.digest}" for s in sources]
    tensors = {name: value.detach().float().contiguous().clone() for name, value in numbers.items()}
    made = "; ".join([f"torch {torch.__version__}"] + origins)
    save_file(tensors, FIXTURES / "encoders" / file, metadata={"made": made})
