# RepAdapter, and its merged weights.
import types

from common import Source, report, torch_names
from vit import WIDTH, Block, Tower, bind, compare, logits, numbers, squeezed, whole

source = Source("luogen1996/RepAdapter", "1285c278ea02c9f3810658464c3ec381e97f677c", "repadapter.py")
timm = types.SimpleNamespace(models=types.SimpleNamespace(
    vision_transformer=types.SimpleNamespace(Block=Block),
    swin_transformer=types.SimpleNamespace(SwinTransformerBlock=None)))
code = source.definitions(
    ["forward_vit_block_adapter", "RepAdapter", "reparameterize", "sparse2dense", "set_RepWeight"],
    {**torch_names, "timm": timm})
tower, parts = Tower(numbers), {}
for number, block in enumerate(tower.blocks):
    for role, part in [("attn", "attention"), ("mlp", "mlp")]:
        adapter = code["RepAdapter"](in_features=WIDTH, hidden_dim=4, groups=2, scale=0.1).eval()
        setattr(block, f"adapter_{role}", adapter)
        site = f"vision.blocks.{number}.{part}.input.branch"
        parts[f"{site}.down"] = (adapter.conv_A.weight, squeezed)
        parts[f"{site}.down.bias"] = (adapter.conv_A.bias, whole)
        parts[f"{site}.up"] = (adapter.conv_B.weight, squeezed)
        parts[f"{site}.up.bias"] = (adapter.conv_B.bias, whole)
    block.s = 0.1
    bind(code["forward_vit_block_adapter"], block)
compare("repadapter", source, numbers, tower, parts)
code["set_RepWeight"](tower, "repblock")
for block in tower.blocks:
    del block.forward
merged = logits(tower(numbers["images"]), numbers["text"])
report.add("repadapter", source, "logits of merged weights", "encoders/encoders.safetensors",
           [(merged, numbers["repadapter.logits"])])

report.finish()
