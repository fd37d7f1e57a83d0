# Both towers of a tiny CLIP as OpenAI's modules have them, with the weights of Tests/Fixtures/towers.
import torch
import torch.nn.functional as F
from torch import nn

from common import QuickGELU, fixture

WIDTH, HEADS, BLOCKS, BATCH, CLASSES = 8, 2, 2, 4, 5
labels = torch.arange(BATCH) * 3 % CLASSES
numbers = fixture("towers/towers.safetensors")


class Block(nn.Module):
    """A block of OpenAI's CLIP: tokens first, then images."""

    def __init__(self, name, mask):
        super().__init__()
        self.attn, self.mask = nn.MultiheadAttention(WIDTH, HEADS), mask
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        hidden = len(numbers[f"{name}.mlp.c_fc.bias"])
        self.mlp = nn.ModuleDict(
            {"c_fc": nn.Linear(WIDTH, hidden), "gelu": QuickGELU(), "c_proj": nn.Linear(hidden, WIDTH)})
        self.load_state_dict({key: numbers[f"{name}.{key}"] for key in self.state_dict()})

    def forward(self, x):
        h = self.ln_1(x)
        mask = None if self.mask is None else self.mask[:len(x), :len(x)]
        x = x + self.attn(h, h, h, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp["c_proj"](self.mlp["gelu"](self.mlp["c_fc"](self.ln_2(x))))


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        mask = torch.full((12, 12), float("-inf")).triu(1)
        self.vision = nn.ModuleList([Block(f"visual.transformer.resblocks.{i}", None) for i in range(BLOCKS)])
        self.text = nn.ModuleList([Block(f"transformer.resblocks.{i}", mask) for i in range(BLOCKS)])
        self.requires_grad_(False)

    def norm(self, x, name):
        return F.layer_norm(x, (WIDTH,), numbers[f"{name}.weight"], numbers[f"{name}.bias"])

    def trunk(self):
        x = F.conv2d(numbers["images"], numbers["visual.conv1.weight"], stride=4).flatten(2).transpose(1, 2)
        x = torch.cat([numbers["visual.class_embedding"].expand(BATCH, 1, -1), x], 1)
        x = self.norm(x + numbers["visual.positional_embedding"], "visual.ln_pre").transpose(0, 1)
        for block in self.vision:
            x = block(x)
        return self.norm(x[0], "visual.ln_post")

    def texts(self):
        tokens = numbers["tokens"].long()
        x = numbers["token_embedding.weight"][tokens] + numbers["positional_embedding"][:tokens.shape[1]]
        x = x.transpose(0, 1)
        for block in self.text:
            x = block(x)
        x = self.norm(x.transpose(0, 1), "ln_final")
        return x[torch.arange(CLASSES), tokens.argmax(1)] @ numbers["text_projection"]

    def forward(self):
        return logits(self.trunk() @ numbers["visual.proj"], self.texts())


def logits(features, text):
    return numbers["logit_scale"].exp() * F.normalize(features, dim=-1) @ F.normalize(text, dim=-1).T
