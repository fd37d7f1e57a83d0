# AdaptFormer.
import types

from torch import nn

from common import Source, report, torch_names
from vit import WIDTH, Tower, bind, compare, numbers, whole

adapter_source = Source("ShoufaChen/AdaptFormer", "0f8c363e152879740ed4181eb86a9bc8148b9d68",
                        "models/adapter.py")
block_source = Source("ShoufaChen/AdaptFormer", "83eb926d598ef3168bd2437424c992da58357bae",
                      "models/custom_modules.py")
adapter_code = adapter_source.definitions(["Adapter"], torch_names)
forward_block = block_source.definitions(["Block.forward"], torch_names)["Block"].forward
tower, parts = Tower(numbers), {}
for number, block in enumerate(tower.blocks):
    block.config = types.SimpleNamespace(ffn_adapt=True, ffn_option="parallel")
    block.adaptmlp = adapter_code["Adapter"](
        d_model=WIDTH, bottleneck=3, dropout=0.1, init_option="lora", adapter_scalar="0.1",
        adapter_layernorm_option="none").eval()
    block.fc1, block.fc2, block.act, block.mlp_drop = block.mlp.fc1, block.mlp.fc2, block.mlp.act, nn.Identity()
    bind(forward_block, block)
    for key, module in [("down", block.adaptmlp.down_proj), ("up", block.adaptmlp.up_proj)]:
        site = f"vision.blocks.{number}.mlp.parallel.branch.{key}"
        parts[site], parts[f"{site}.bias"] = (module.weight, whole), (module.bias, whole)
compare("adaptformer", [adapter_source, block_source], numbers, tower, parts)

report.finish()
