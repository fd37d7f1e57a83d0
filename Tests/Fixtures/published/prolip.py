# ProLIP: the authors' loop reads views of a data set from files and ends with an accuracy. First with Adam and its
# schedule replaced by the SGD of the fixture, which starts elsewhere than at the model's projection; then as it is, ten
# epochs on three views, which towers/prolip.safetensors keeps.
import copy
import pathlib
import time
import types

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from clip import CLASSES, Towers, labels, logits, numbers
from common import FIXTURES, Instead, Source, report, torch_names

source = Source("astra-vision/ProLIP", "18facf5d4cd6692bab81f4de60ccb10dc692a65e", "methods/ProLIP.py")
towers = Towers()
text = F.normalize(numbers["prolip.text"], dim=-1)


class Method:
    def __init__(self, args):
        pass


def trained(views, epochs, rate, optim):
    """Losses and the projection at the end; λ is 1 / 16."""
    losses, projections = [], []

    def cross_entropy(given, target):
        value = F.cross_entropy(given, target)
        losses.append(value.detach())
        return value

    def adam(parameters, **options):
        projections.extend(parameters)
        return optim.Adam(projections, **options)

    def load(path):
        return labels.clone() if path.stem == "label" else views[int(path.stem[1:])]

    own = types.SimpleNamespace(Adam=adam, lr_scheduler=optim.lr_scheduler)
    code = source.definitions(["VisProjViT", "ProLIP"], {
        **torch_names, "torch": Instead(torch, load=load, optim=own), "F": Instead(F, cross_entropy=cross_entropy),
        "FSCLIPmethod": Method, "cls_acc": lambda *_: 0.0, "compute_image_features": lambda *_: (views[0], labels),
        "Path": pathlib.Path, "copy": copy, "time": time, "print": lambda *_: None,
        "argparse": types.SimpleNamespace(Namespace=object)})
    settings = {
        "train_epoch": epochs, "backbone": "ViT-B/16", "root_path": ".", "dataset": "", "aug_views": len(views),
        "search_lr": False, "lr_v": rate, "lambda_funct_1_N": True, "save_checkpoints": False}
    # The scale is 100 in their code, and another one in the fixture.
    weights = text.T * numbers["logit_scale"].exp() / 100
    code["ProLIP"](settings).forward(
        None, None, None, None, None, None, None, weights, None, None, None, towers,
        {"visual.proj": numbers["visual.proj"].clone()}, range(CLASSES), 1, 16, "", "")
    return torch.stack(losses), projections[0].detach()


def sgd(parameters, lr, eps):
    with torch.no_grad():
        parameters[0].copy_(numbers["prolip.start.vision.projection"].T)
    return torch.optim.SGD(parameters, lr=lr, momentum=0.9)


constant = types.SimpleNamespace(CosineAnnealingLR=lambda *_: types.SimpleNamespace(step=lambda: None))
losses, projection = trained([towers.trunk()], 3, 0.1, types.SimpleNamespace(Adam=sgd, lr_scheduler=constant))
file = "towers/towers.safetensors"
report.add("prolip", source, "losses of 3 steps", file, [(losses, numbers["prolip.losses"])])
report.add("prolip", source, "trained tensors", file, [(projection.T, numbers["prolip.end.vision.projection"])])
report.add("prolip", source, "logits", file, [(logits(towers.trunk() @ projection, text), numbers["prolip.logits"])])

torch.manual_seed(33)
views = [(towers.trunk() + 0.3 * torch.randn(len(labels), 8)).float().double() for _ in range(3)]
losses, projection = trained(views, 10, 0.01, torch.optim)
origin = f"{source.repository} {source.commit} {source.path}: {source.names}, sha256 {source.digest}"
out = {f"view.{index}": view for index, view in enumerate(views)}
out.update({"losses": losses, "end": projection.T, "logits": logits(views[0] @ projection, text)})
save_file({name: value.float().contiguous() for name, value in out.items()}, FIXTURES / "towers/prolip.safetensors",
          metadata={"made": f"torch {torch.__version__}; {origin}"})
print([round(float(loss), 4) for loss in losses])

report.finish()
