# Convpass: its code is for 14 × 14 patches, as encoders/convpass.safetensors has them, which this script makes.
import torch
from torch import nn

from common import Source, report, torch_names
from vit import WIDTH, Tower, bind, compare, drawn, make, numbers, store, whole


def convpass(weights, rank, factor, replaced=None):
    source = Source("JieShibo/PETL-ViT", "0f1c47fc70c7c22c47100aac735754795215b3be",
                    "convpass/vtab/convpass.py")
    code = source.definitions(["forward_block", "QuickGELU", "Convpass"], torch_names, replaced)
    tower, parts = Tower(weights), {}
    for number, block in enumerate(tower.blocks):
        for role, part in [("attn", "attention"), ("mlp", "mlp")]:
            adapter = code["Convpass"](dim=rank, xavier_init=True).eval()
            adapter.adapter_down, adapter.adapter_up = nn.Linear(WIDTH, rank), nn.Linear(rank, WIDTH)
            setattr(block, f"adapter_{role}", adapter)
            for own, key in [("down", "down"), ("conv", "kernel"), ("up", "up")]:
                module = getattr(adapter, f"adapter_{own}")
                site = f"vision.blocks.{number}.{part}.bypass.branch.{key}"
                parts[site], parts[f"{site}.bias"] = (module.weight, whole), (module.bias, whole)
        block.s = factor
        bind(code["forward_block"], block)
    return source, tower, parts


source, tower, parts = convpass(numbers, 3, 0.5, {14: 2})
compare("convpass", source, numbers, tower, parts, "encoders/encoders.safetensors (14 patches a side read as 2)")
torch.manual_seed(32)
square = drawn(12, 14, 1)
source, tower, parts = convpass(square, 3, 0.5)
make("convpass", square, tower, parts, {".kernel": 0.5})
store("convpass.safetensors", square, [source])

report.finish()
