"""Features of one tiny CLIP under many configurations of open_clip: model.safetensors and cases.json.

Made with open_clip_torch 3.3.0 and torch 2.15.0: python make.py
"""
import json
import math

import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

VISION = dict(image_size=8, layers=2, width=16, head_width=8, patch_size=4, mlp_ratio=2.5)
TEXT = dict(context_length=6, vocab_size=9, width=16, heads=2, layers=2, mlp_ratio=2.5)
IDS = [[7, 1, 2, 8, 0, 0], [7, 3, 8, 0, 0, 0], [7, 4, 2, 5, 6, 8]]


def images(side):
    count = 2 * 3 * side * side
    return torch.tensor([math.sin(0.37 * i) for i in range(count)]).reshape(2, 3, side, side)


def case(name, vision={}, text={}, quick=False, state=None):
    v, t = {**VISION, **vision}, {**TEXT, **text}
    torch.manual_seed(0)
    model = CLIP(8, vision_cfg=v, text_cfg=t, quick_gelu=quick).eval()
    if state is None:
        generator = torch.Generator().manual_seed(1)
        state = {}
        for key, tensor in model.state_dict().items():
            noise = torch.randn(tensor.shape, generator=generator)
            scale = 2 / tensor.shape[-1] ** 0.5 if tensor.ndim > 1 else 0.3
            offset = 1 if tensor.ndim == 1 and "ln" in key and key.endswith("weight") else 0
            state[key] = (offset + scale * noise).half().float()
    own = model.state_dict()
    for key in sorted(set(own) - set(state)):  # layer scales, which the other cases lack
        generator = torch.Generator().manual_seed(len(state))
        state[key] = (1 + 0.3 * torch.randn(own[key].shape, generator=generator)).half().float()
    model.load_state_dict({key: state[key] for key in own})
    with torch.no_grad():
        image = model.encode_image(images(v["image_size"]))
        words = model.encode_text(torch.tensor(IDS))
    configuration = {"embed_dim": 8, "vision_cfg": v, "text_cfg": t}
    if quick:
        configuration["quick_gelu"] = True
    cases.append(
        {"name": name, "model_cfg": configuration, "own": set(own),
         "image": [round(x, 6) for x in image.flatten().tolist()],
         "text": [round(x, 6) for x in words.flatten().tolist()]})
    return state


cases = []
state = case("plain")
case("quick_gelu", quick=True, state=state)
case("head_width 4", dict(head_width=4), state=state)
case("head_width 16, 4 heads of text", dict(head_width=16), dict(heads=4), state=state)
case("pool_type avg", dict(pool_type="avg"), state=state)
case("pool_type avg, final_ln_after_pool", dict(pool_type="avg", final_ln_after_pool=True), state=state)
case("final_ln_after_pool", dict(final_ln_after_pool=True), state=state)
case("no_ln_pre", dict(no_ln_pre=True), state=state)
case("norm_kwargs", dict(norm_kwargs={"eps": 0.1}), dict(norm_kwargs={"eps": 0.01}), state=state)
case("act_kwargs", dict(act_kwargs={"approximate": "tanh"}), dict(act_kwargs={"approximate": "tanh"}), state=state)
case("text no_causal_mask", text=dict(no_causal_mask=True), state=state)
case("text pool_type first", text=dict(pool_type="first"), state=state)
case("text pool_type last", text=dict(pool_type="last"), state=state)
case("text pool_type eos", text=dict(pool_type="eos", eos_id=2), state=state)
case("CLIPA", dict(no_ln_pre=True, pool_type="avg", final_ln_after_pool=True),
     dict(no_causal_mask=True, pool_type="last"), state=state)
case("ls_init_value", dict(ls_init_value=0.1), dict(ls_init_value=0.1), state=state)
for item in cases:
    item["without"] = sorted(set(state) - item.pop("own"))
save_file({key: tensor.half() for key, tensor in state.items()}, "model.safetensors")
with open("cases.json", "w") as file:
    json.dump({"ids": IDS, "cases": cases}, file, separators=(",", ":"))
