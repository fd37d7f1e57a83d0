"""Tiny random models of timm, transformers and torchvision with their features and gradients: right values for the tests.

Made with timm 1.0.31, transformers 5.24.0, torchvision 0.29.2, PyTorch 2.15.0 (CPU). One safetensors file per model: its
tensors under their own names, as float32, and with the prefix "golden/": "images" [n, 3, size, size], "features" [n,
width], "weights" [n, width] of the loss, the sum of features · weights, and "gradient/NAME", the loss's gradient by the
tensor NAME, for a few tensors. The metadata say the settings that tensors do not show.

    python make.py FOLDER [NAME …]
"""

import os
import sys

import numpy as np
import torch
from safetensors.torch import save_file

folder, chosen = sys.argv[1], sys.argv[2:]
torch.manual_seed(0)


def scramble(model, seed):
    """Weights wide enough that every part matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            values = torch.randn(p.shape, generator=generator)
            if p.ndim >= 2 and "token" not in name and "pos" not in name and "latent" not in name:
                p.copy_(1.5 * values / (p[0].numel() ** 0.5))
            elif name.endswith(("weight", "gamma", "gamma_1", "gamma_2", "lambda1", "lambda_1", "lambda_2", "layer_scale")):
                p.copy_(1 + 0.3 * values)
            else:
                p.copy_(0.3 * values)
            if name.endswith("logit_scale") and p.ndim == 3:
                p[0] = 5  # above log 100, the limit
    return model.eval()


def save(name, model, features, size, wanted, stored=None, batch=2, seed=None, **metadata):
    if chosen and name not in chosen:
        return
    model = scramble(model, seed or len(name))
    generator = torch.Generator().manual_seed(7)
    images = torch.randn(batch, 3, size, size, generator=generator)
    out = features(model, images)
    weights = torch.randn(out.shape, generator=generator)
    (out * weights).sum().backward()
    state = stored(model) if stored else model.state_dict()
    state = {k: v.detach().clone().contiguous() for k, v in state.items() if v.dtype == torch.float32}
    parameters = dict(model.named_parameters())
    golden = {"images": images, "features": out.detach(), "weights": weights}
    for part in wanted:
        found = [k for k in parameters if part in k]
        assert found, (name, part, list(parameters))
        # Blocks of DINOv3 have a prefix in memory that files lack.
        golden["gradient/" + found[0].replace("model.layer.", "layer.")] = parameters[found[0]].grad
    save_file(state | {"golden/" + k: v.contiguous() for k, v in golden.items()},
              os.path.join(folder, name + ".safetensors"), metadata={k: str(v) for k, v in metadata.items()})


def timm_features(model, images):
    return model.forward_head(model.forward_features(images), pre_logits=True)


def vision(name, wanted, size=8, **arguments):
    from timm.models.vision_transformer import VisionTransformer
    settings = dict(img_size=8, patch_size=4, embed_dim=8, depth=1, num_heads=2, mlp_ratio=2, num_classes=0)
    settings.update(arguments)
    save(name, VisionTransformer(**settings), timm_features, size, wanted, heads=settings["num_heads"])


from timm.layers import SwiGLU, SwiGLUPacked

vision("vit-layer-scale", ["ls1.gamma", "attn.qkv.bias"], init_values=0.1)
vision("vit-registers", ["reg_token", "pos_embed"], reg_tokens=3, no_embed_class=True)
vision("vit-registers-positions", ["reg_token", "pos_embed"], reg_tokens=2)
vision("vit-no-class", ["pos_embed"], class_token=False, global_pool="avg", fc_norm=False)
vision("vit-gap", ["fc_norm.weight", "cls_token"], global_pool="avg")
vision("vit-qk-norm", ["q_norm.weight", "k_norm.bias"], qk_norm=True)
vision("vit-swiglu", ["fc1_g.weight", "fc1_x.weight"], mlp_layer=SwiGLU, act_layer=torch.nn.SiLU)
vision("vit-swiglu-packed", ["mlp.fc1.weight"], mlp_layer=SwiGLUPacked, act_layer=torch.nn.SiLU)
vision("vit-map", ["attn_pool.latent", "attn_pool.kv.weight"], class_token=False, global_pool="map")
vision("vit-pre-norm", ["norm_pre.weight"], pre_norm=True, qkv_bias=False)

from timm.models.deit import VisionTransformerDistilled

save("deit-distilled", VisionTransformerDistilled(
    img_size=8, patch_size=4, embed_dim=8, depth=1, num_heads=2, mlp_ratio=2, num_classes=0),
    timm_features, 8, ["dist_token", "pos_embed"], heads=2)

from timm.models.beit import Beit

save("beit", Beit(
    img_size=8, patch_size=4, embed_dim=8, depth=1, num_heads=2, mlp_ratio=2, num_classes=0, use_abs_pos_emb=False,
    use_rel_pos_bias=True, init_values=0.1), timm_features, 8,
    ["relative_position_bias_table", "q_bias", "gamma_1"], heads=2)

from functools import partial

from timm.layers import LayerNorm
from timm.models.eva import Eva


def dinov3(**arguments):
    settings = dict(
        img_size=12, patch_size=4, embed_dim=16, depth=1, num_heads=2, mlp_ratio=1, num_classes=0, qkv_bias=False,
        init_values=0.1, rope_type="dinov3", rope_temperature=100, rope_rotate_half=True, use_rot_pos_emb=True,
        use_abs_pos_emb=False, num_reg_tokens=2, use_fc_norm=False, norm_layer=partial(LayerNorm, eps=1e-5))
    return Eva(**(settings | arguments))


def of_the_authors(model):
    """The names and forms of DINOv3's released code: one bias of query, key and value, of which that of the key is
    masked, and stored periods."""
    names = {"reg_token": "storage_tokens", "blocks.0.gamma_1": "blocks.0.ls1.gamma", "blocks.0.gamma_2": "blocks.0.ls2.gamma"}
    names |= {f"blocks.0.mlp.{a}.{k}": f"blocks.0.mlp.{b}.{k}" for k in ("weight", "bias")
              for a, b in (("fc1_g", "w1"), ("fc1_x", "w2"), ("fc2", "w3"))}
    state = {names.get(k, k): v for k, v in model.state_dict().items()}
    query, value = state.pop("blocks.0.attn.q_bias"), state.pop("blocks.0.attn.v_bias")
    state["blocks.0.attn.qkv.bias"] = torch.cat((query, torch.ones_like(query), value))
    state["blocks.0.attn.qkv.bias_mask"] = torch.cat((torch.ones(16), torch.zeros(16), torch.ones(16)))
    state["rope_embed.periods"] = model.rope.periods
    state["mask_token"] = torch.zeros(1, 16)
    return state


save("dinov3", dinov3(), timm_features, 12, ["attn.qkv.weight", "reg_token", "gamma_1", "norm1.bias"], batch=1,
     heads=2, rotary=100, epsilon=1e-5, pooling="avg")
save("dinov3-biases-swiglu", dinov3(
    qkv_bias=True, global_pool="token", swiglu_mlp=True, swiglu_align_to=8), timm_features, 12,
    ["attn.qkv.weight", "attn.q_bias", "mlp.fc1_g.weight", "cls_token"], batch=1, heads=2, rotary=100, epsilon=1e-5,
    silu=1)
authors = dinov3(num_heads=1, qkv_bias=True, global_pool="token", swiglu_mlp=True, swiglu_align_to=8)
with torch.no_grad():
    # Stored as bfloat16, and calculated with as they are stored.
    authors.rope.periods.copy_(authors.rope.periods.bfloat16().float())
    authors.rope._compute_periods = lambda **_: authors.rope.periods.clone()
    authors.rope._init_buffers()
save("dinov3-authors", authors, timm_features, 12, ["cls_token", "attn.qkv.weight"], of_the_authors, batch=1)

from timm.models.swin_transformer_v2 import SwinTransformerV2


def second_swin(model, attention):
    """Position networks of six units instead of 512, and one logit scale above its limit."""
    for name, part in list(model.named_modules()):
        if name.endswith(attention):
            heads = part.logit_scale.shape[0]
            network = torch.nn.Sequential(
                torch.nn.Linear(2, 6), torch.nn.ReLU(), torch.nn.Linear(6, heads, bias=False))
            setattr(part, "cpb_mlp" if hasattr(part, "cpb_mlp") else "continuous_position_bias_mlp", network)
    return model


save("swin-v2", second_swin(SwinTransformerV2(
    img_size=16, patch_size=2, embed_dim=8, depths=(2, 1), num_heads=(2, 2), window_size=4, mlp_ratio=2, num_classes=0,
    pretrained_window_sizes=(3, 0)), "attn"), timm_features, 16,
    ["q_bias", "logit_scale", "cpb_mlp.0.weight", "cpb_mlp.2.weight", "norm1.weight", "downsample.reduction.weight"],
    batch=1, window=4, pretrained="3,0")

from timm.models.convnext import ConvNeXt

save("convnext-v2", ConvNeXt(depths=(1, 1, 1, 1), dims=(3, 4, 4, 5), num_classes=0, use_grn=True, ls_init_value=None),
     timm_features, 32, ["mlp.grn.weight", "mlp.grn.bias"], batch=1)
save("convnext-conv-mlp", ConvNeXt(depths=(1, 1, 1, 1), dims=(3, 4, 4, 5), num_classes=0, conv_mlp=True),
     timm_features, 32, ["mlp.fc1.weight"], batch=1)

import tempfile

import transformers
from safetensors.torch import load_file


def published(model):
    """The tensors under the names of files, which are others than those in memory since transformers 5."""
    with tempfile.TemporaryDirectory() as path:
        model.save_pretrained(path)
        return load_file(os.path.join(path, "model.safetensors"))


def hidden(model, images):
    return model(pixel_values=images).pooler_output


def first_token(model, images):
    return model(pixel_values=images).last_hidden_state[:, 0]


small = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=4)
save("hf-dinov2", transformers.Dinov2Model(transformers.Dinov2Config(mlp_ratio=2, **small)), first_token, 8,
     ["cls_token", "layer_scale1.lambda1"], published, heads=2)
save("hf-dinov2-registers-swiglu", transformers.Dinov2WithRegistersModel(
    transformers.Dinov2WithRegistersConfig(mlp_ratio=2, use_swiglu_ffn=True, num_register_tokens=2, **small)),
    first_token, 8, ["register_tokens", "position_embeddings"], published, heads=2)
save("hf-beit", transformers.BeitModel(
    transformers.BeitConfig(intermediate_size=16, use_relative_position_bias=True, **small)), hidden, 8,
    ["cls_token"], published, heads=2)

save("hf-dinov3", transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(
    hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=12, patch_size=4,
    num_register_tokens=2, rope_theta=50.0)), hidden, 12,
    ["q_proj.weight", "v_proj.bias", "register_tokens", "layer_scale2.lambda1"], published, batch=1, heads=2, rotary=50)
save("hf-dinov3-swiglu", transformers.DINOv3ViTModel(transformers.DINOv3ViTConfig(
    hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=12, patch_size=4,
    num_register_tokens=2, use_gated_mlp=True, hidden_act="silu")), hidden, 12,
    ["k_proj.weight", "gate_proj.weight"], published, batch=1, heads=2, rotary=100, silu=1)
save("hf-swin-v2", second_swin(transformers.Swinv2Model(transformers.Swinv2Config(
    image_size=16, patch_size=2, embed_dim=8, depths=[2, 1], num_heads=[2, 2], window_size=2, mlp_ratio=2.0)), ".self"),
    hidden, 16, ["self.query.bias", "logit_scale", "continuous_position_bias_mlp.0.bias"], published, batch=1, window=2)

import torchvision


def without_head(model, images):
    return model(images)


vit = torchvision.models.VisionTransformer(
    image_size=8, patch_size=4, num_layers=1, num_heads=2, hidden_dim=8, mlp_dim=16, num_classes=2)
vit.heads = torch.nn.Identity()
save("torchvision-vit", vit, without_head, 8, ["in_proj_bias"], heads=2)
swin = torchvision.models.SwinTransformer(
    patch_size=[2, 2], embed_dim=8, depths=[2, 1], num_heads=[2, 2], window_size=[2, 2], mlp_ratio=2, num_classes=2)
swin.head = torch.nn.Identity()
save("torchvision-swin", swin, without_head, 16, ["relative_position_bias_table"], image=16, batch=1)
swin = second_swin(torchvision.models.SwinTransformer(
    patch_size=[2, 2], embed_dim=8, depths=[2, 1], num_heads=[2, 2], window_size=[4, 4], mlp_ratio=2, num_classes=2,
    block=torchvision.models.swin_transformer.SwinTransformerBlockV2,
    downsample_layer=torchvision.models.swin_transformer.PatchMergingV2), "attn")
swin.head = torch.nn.Identity()
save("torchvision-swin-v2", swin, without_head, 16,
     ["qkv.bias", "logit_scale", "cpb_mlp.0.weight", "norm1.weight", "2.reduction.weight"], batch=1, window=4,
     seed=18)  # most others lose three digits to rounding, in PyTorch too
from torchvision.models.convnext import CNBlockConfig

convnext = torchvision.models.ConvNeXt(
    [CNBlockConfig(3, 4, 1), CNBlockConfig(4, 4, 1), CNBlockConfig(4, 5, 1), CNBlockConfig(5, None, 1)], num_classes=2)
convnext.classifier[2] = torch.nn.Identity()
save("torchvision-convnext", convnext, without_head, 32, ["layer_scale"], batch=1)
# Classifiers that read two vectors: here the features are their logits.

def logits(model, images):
    out = model(images)
    return out if torch.is_tensor(out) else out.logits


save("deit-two-heads", VisionTransformerDistilled(
    img_size=8, patch_size=4, embed_dim=8, depth=1, num_heads=2, mlp_ratio=2, num_classes=3), logits, 8, [], heads=2)
save("hf-deit-two-heads", transformers.DeiTForImageClassificationWithTeacher(
    transformers.DeiTConfig(intermediate_size=16, num_labels=3, **small)), logits, 8, [], published, heads=2,
     epsilon=1e-12)
save("hf-dinov2-head", transformers.Dinov2WithRegistersForImageClassification(
    transformers.Dinov2WithRegistersConfig(mlp_ratio=2, num_register_tokens=2, num_labels=3, **small)), logits, 8, [],
     published, heads=2)
