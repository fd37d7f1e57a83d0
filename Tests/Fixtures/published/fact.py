# FacT: shared factors are global to the authors' code, as `vit`. It is written for MLPs of four times the width, as
# encoders/fact.safetensors has them, which this script makes; in factors.safetensors they have two pieces.
import types

import torch
from torch import nn

from common import Source, fixture, report, torch_names
from vit import BLOCKS, WIDTH, Tower, bind, compare, drawn, make, store, whole


def fact(weights, form, name, rank, factor, replaced=None):
    path = f"FacT/fact_{form}.py"
    source = Source("JieShibo/PETL-ViT", "546bde3e55e60dfc3d23ef3950b3860120f9ee9c", path)
    vit = types.SimpleNamespace()
    given = {**torch_names, "vit": vit}
    mlp = source.definitions(["fact_forward_mlp"], given, replaced)["fact_forward_mlp"]
    attention = source.definitions(["fact_forward_attn"], given)["fact_forward_attn"]
    source.definitions(["fact_forward_attn", "fact_forward_mlp"], given)
    tower = Tower(weights)
    pieces = tower.blocks[0].mlp.fc1.out_features // WIDTH
    vit.FacTu, vit.FacTv = nn.Linear(WIDTH, rank, bias=False), nn.Linear(rank, WIDTH, bias=False)
    parts = {"factors.down": (vit.FacTu.weight, whole), "factors.up": (vit.FacTv.weight, whole)}
    if form == "tk":
        vit.FacTc = nn.Parameter(torch.zeros(rank, rank, rank))
        vit.FacTp = nn.Parameter(torch.zeros(rank, BLOCKS * (4 + 2 * pieces)))
        parts["factors.core"] = (vit.FacTc, lambda c: c.transpose(0, 1))
        parts["factors.slices"] = (vit.FacTp, lambda p: p.T)
    index = 0
    for number, block in enumerate(tower.blocks):
        for module in [block.attn, block.mlp]:
            module.dp, module.s, module.dim, module.idx = nn.Identity(), factor, rank, index
            index += 4 if module is block.attn else 2 * pieces
        bind(attention, block.attn)
        bind(mlp, block.mlp)
        if form == "tt":
            site = f"vision.blocks.{number}"
            for role, part in [("q", "query"), ("k", "key"), ("v", "value"), ("proj", "output")]:
                core = nn.Linear(rank, rank, bias=False)
                setattr(block.attn, f"{role}_FacTs", core)
                parts[f"{site}.attention.{part}.branch.core"] = (core.weight, whole)
            block.mlp.fc1_FacTs = nn.Linear(rank, pieces * rank, bias=False)
            block.mlp.fc2_FacTs = nn.Linear(pieces * rank, rank, bias=False)
            parts[f"{site}.mlp.up.branch.core"] = (block.mlp.fc1_FacTs.weight, whole)
            parts[f"{site}.mlp.down.branch.core"] = (block.mlp.fc2_FacTs.weight, whole)
    return source, tower, parts


factors = fixture("encoders/factors.safetensors")
for form in ["tt", "tk"]:
    source, tower, parts = fact(factors, form, f"fact-{form}", 3, 0.2, {4: 2, 8: 4})
    compare(f"fact-{form}", source, factors, tower, parts, "encoders/factors.safetensors (4 pieces read as 2)")


torch.manual_seed(31)
wide, sources = drawn(4 * WIDTH, 2, 4), []
for form in ["tt", "tk"]:
    source, tower, parts = fact(wide, form, f"fact-{form}", 3, 0.2)
    make(f"fact-{form}", wide, tower, parts, {"factors.up": 0.5})
    sources.append(source)
store("fact.safetensors", wide, sources)

report.finish()
