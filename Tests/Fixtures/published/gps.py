# GPS: summed gradients of the contrastive loss, and what is chosen by them. The authors' code names weights as timm
# does; a CLIP's projection is a map like the others.
import numpy as np
import torch
from torch import nn

from common import Instead, Source, fixture, report, torch_names
from vit import BATCH, BLOCKS, Tower, labels, numbers, whole


class Prunable(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.tower, self.patch_embed, self.head = tower, nn.Module(), nn.Linear(1, 1)
        self.patch_embed.weight = nn.Parameter(numbers["visual.conv1.weight"].clone())
        self.out = nn.Parameter(numbers["visual.proj"].T.clone())
        tower.weights = dict(numbers)
        tower.requires_grad_()

    def forward(self, images, return_feature=False):
        self.tower.weights["visual.conv1.weight"] = self.patch_embed.weight
        self.tower.weights["visual.proj"] = self.out.T
        return None, self.tower(images)

    def named_parameters(self, *arguments, **options):
        for name, value in super().named_parameters(*arguments, **options):
            yield name.replace("tower.pre", "norm_pre").replace("tower.post", "norm"), value


chosen = fixture("encoders/gps.safetensors")
commit = "c050245470dd7b7c1cc4a18fbaeef7f2426b81cd"
mask_source = Source("FightingFighting/GPS", commit, "utils/pruning.py")
loss_source = Source("FightingFighting/GPS", "cb520e43f29ef58d8aae9908075a97ba586f2271",
                     "SAM/utils_/loss_utils.py")
torch.Tensor.float = torch.Tensor.double
loss_code = loss_source.definitions(["SupConLoss"], torch_names)
mask_code = mask_source.definitions(
    ["prune_by_percentile_gradient_perCell"],
    {"np": Instead(np, bool=bool), "torch": torch, "print": lambda *_: None})
model, losses = Prunable(Tower(numbers)), []
for batch in range(2):
    # As in `calculate_gradient` of train_gps.py: two views of a batch, features as [images, views, width].
    views = [chosen[f"views.{batch}.{view}"] for view in range(2)]
    _, feature = model(torch.cat(views), return_feature=True)
    first, second = torch.split(feature, [BATCH, BATCH])
    loss = loss_code["SupConLoss"]()(torch.cat([first.unsqueeze(1), second.unsqueeze(1)], 1), labels)
    losses.append(loss.detach())
    loss.backward()
masks = mask_code["prune_by_percentile_gradient_perCell"](model, 2)
places = {"vision.patchEmbedding": ("patch_embed.weight", whole), "vision.projection": ("out", whole)}
for i in range(BLOCKS):
    for third, role in enumerate(["query", "key", "value"]):
        places[f"vision.blocks.{i}.attention.{role}"] = (
            f"tower.blocks.{i}.attn.qkv.weight", lambda p, third=third: p.chunk(3)[third])
    for site, own in [("attention.output", "attn.proj"), ("mlp.up", "mlp.fc1"), ("mlp.down", "mlp.fc2")]:
        places[f"vision.blocks.{i}.{site}"] = (f"tower.blocks.{i}.{own}.weight", whole)
parameters = dict(model.named_parameters())
report.add("gps", loss_source, "contrastive losses", "encoders/gps.safetensors",
           [(torch.stack(losses), chosen["sum.losses"])])
report.add("gps", loss_source, "summed gradients", "encoders/gps.safetensors",
           [(view(parameters[own].grad), chosen[f"sum.{site}"]) for site, (own, view) in places.items()])
report.add("gps", mask_source, "indices of 2 inputs of a neuron", "encoders/gps.safetensors", [
    ((view(masks[own]).flatten() == 0).nonzero().flatten(), chosen[f"chosen.{site}"])
    for site, (own, view) in places.items()])
biases = [name for name in masks if name.endswith("bias") and "norm" not in name]
assert all(not masks[name].any() for name in biases), "biases of maps are trained"
assert all(masks[name].all() for name in masks if "norm" in name), "norms are not"

report.finish()
