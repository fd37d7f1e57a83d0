# What CoOp and CoCoOp share: the text tower of a tiny CLIP as OpenAI's modules have it, and tokens of classes.
import types
from collections import OrderedDict

import torch
from torch import nn

from common import torch_names

CLASSES = 4
labels = torch.arange(5) * 3 % CLASSES


class Block(nn.Module):
    """A block of OpenAI's CLIP: tokens first, then prompts."""

    def __init__(self, given, name, width=8, heads=2):
        super().__init__()
        self.attn, self.ln_1, self.ln_2 = nn.MultiheadAttention(width, heads), nn.LayerNorm(width), nn.LayerNorm(width)
        hidden = len(given[f"{name}.mlp.c_fc.bias"])
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, hidden), "c_proj": nn.Linear(hidden, width)})
        self.load_state_dict({key: given[f"{name}.{key}"] for key in self.state_dict()})

    def forward(self, x):
        h = self.ln_1(x)
        mask = torch.full((len(x), len(x)), float("-inf")).triu(1)
        x = x + self.attn(h, h, h, need_weights=False, attn_mask=mask)[0]
        h = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](h * torch.sigmoid(1.702 * h))


class Images(nn.Module):
    input_resolution = 8

    def __init__(self, width):
        super().__init__()
        self.output_dim = width

    def forward(self, images):
        return images


def tower(given):
    model = nn.Module()
    model.transformer = nn.Sequential(*[Block(given, f"transformer.resblocks.{i}") for i in range(2)])
    model.ln_final = nn.LayerNorm(8)
    model.ln_final.load_state_dict({key: given[f"ln_final.{key}"] for key in ["weight", "bias"]})
    model.token_embedding = nn.Embedding(12, 8, _weight=given["token_embedding.weight"])
    model.positional_embedding, model.text_projection = given["positional_embedding"], given["text_projection"]
    model.visual, model.logit_scale = Images(given["features"].shape[1]), torch.tensor(2.5)
    model.dtype = torch.float64
    return model.requires_grad_(False)


def encode(name):
    """The tokens of class c: c + 1 of them."""
    return [(3 * int(name) + i) % 9 for i in range(int(name) + 1)]


def tokenize(prompt):
    """`X X … c.` between the start 10 and the end 11, with 9 for the full stop; 12 in all."""
    *context, name = prompt.removesuffix(".").split(" ")
    row = [10] + [0] * len(context) + encode(name) + [9, 11]
    return torch.tensor([row + [0] * (12 - len(row))])


prompt_names = {
    **torch_names, "print": lambda *_: None, "OrderedDict": OrderedDict,
    "clip": types.SimpleNamespace(tokenize=tokenize),
    "_tokenizer": types.SimpleNamespace(encode=encode)}
