# SSF: a CLIP's convolution has no bias, so that its offset stays zero; the norm before the blocks is where the code has
# its dropout of tokens.
import torch
from torch import nn

from common import Source, report, torch_names
from vit import BLOCKS, HEADS, WIDTH, QuickGELU, compare, fill, fill_block, numbers, whole

source = Source("dongzelian/SSF", "0135361b8876c0a5a2982f78053f17b097a9dde0", "models/vision_transformer.py")
code = source.definitions(
    ["Mlp.__init__", "Mlp.forward", "Attention", "Block", "PatchEmbed", "init_ssf_scale_shift", "ssf_ada",
     "VisionTransformer.forward_features"],
    {**torch_names, "to_2tuple": lambda x: x if isinstance(x, tuple) else (x, x),
     "_assert": lambda condition, message: None})


class PreNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.ssf_scale_1, self.ssf_shift_1 = code["init_ssf_scale_shift"](WIDTH)

    def forward(self, x):
        return code["ssf_ada"](self.norm(x), self.ssf_scale_1, self.ssf_shift_1)


vit = nn.Module()
vit.patch_embed = code["PatchEmbed"](img_size=8, patch_size=4, embed_dim=WIDTH, tuning_mode="ssf")
vit.pos_drop, vit.norm, vit.tuning_mode, vit.grad_checkpointing = PreNorm(), nn.LayerNorm(WIDTH), "ssf", False
vit.cls_token = numbers["visual.class_embedding"].expand(1, 1, -1)
vit.pos_embed = numbers["visual.positional_embedding"]
vit.ssf_scale_1, vit.ssf_shift_1 = code["init_ssf_scale_shift"](WIDTH)
vit.blocks = nn.Sequential(*[
    code["Block"](WIDTH, HEADS, mlp_ratio=1.5, qkv_bias=True, act_layer=QuickGELU, tuning_mode="ssf")
    for _ in range(BLOCKS)])
with torch.no_grad():
    vit.patch_embed.proj.weight.copy_(numbers["visual.conv1.weight"])
    vit.patch_embed.proj.bias.zero_()
    vit.patch_embed.ssf_shift_1.zero_()
fill(vit.pos_drop.norm, numbers, "visual.ln_pre.")
fill(vit.norm, numbers, "visual.ln_post.")
vit.requires_grad_(False)
parts = {"vision.patchEmbedding.factor": (vit.patch_embed.ssf_scale_1, whole)}


def scaled(site, module, number, view=whole):
    parts[f"{site}.factor"] = (getattr(module, f"ssf_scale_{number}"), view)
    parts[f"{site}.offset"] = (getattr(module, f"ssf_shift_{number}"), view)


scaled("vision.preNorm.scale", vit.pos_drop, 1)
scaled("vision.postNorm.scale", vit, 1)
for number, block in enumerate(vit.blocks):
    fill_block(block, numbers, number)
    site = f"vision.blocks.{number}"
    scaled(f"{site}.attentionNorm.scale", block, 1)
    scaled(f"{site}.mlpNorm.scale", block, 2)
    for third, role in enumerate(["query", "key", "value"]):
        scaled(f"{site}.attention.{role}", block.attn, 1, lambda p, third=third: p.chunk(3)[third])
    scaled(f"{site}.attention.output", block.attn, 2)
    scaled(f"{site}.mlp.up", block.mlp, 1)
    scaled(f"{site}.mlp.down", block.mlp, 2)
forward_features = code["VisionTransformer"].forward_features
compare("ssf", source, numbers, lambda images: forward_features(vit, images)[:, 0] @ numbers["visual.proj"], parts)

report.finish()
