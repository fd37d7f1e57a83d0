# LP++: 300 epochs; its classifier's bias starts at random.
import types

import torch
import torch.nn.functional as F
from scipy.linalg import eigh
from torch import nn

from common import Instead, Source, report
from features import (
    CLASSES, Method, clip_model, cross_entropy, file, losses, names, numbers, returned, test, test_labels, train,
    train_labels, unit, val, val_labels, weights)

commit = "4d1b771f72d3abc091b76c6527d813a11f639008"
repository = "FereshteShakeri/FewShot-CLIP-Strong-Baseline"
tools = Source(repository, commit, "methods/utils.py")
source = Source(repository, commit, "methods/linear_probe_p2.py")
helpers = tools.definitions(["get_one_hot", "compute_centroids_alpha", "compute_centroids"], names)


class Linear(nn.Linear):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        with torch.no_grad():
            self.bias.copy_(numbers["lp.bias.start"])


code = source.definitions(["calculate_lr_alpha", "calculate_init_alpha", "calculate_lr_w", "LinearProbe_P2"], {
    **names, **{name: helpers[name] for name in ["compute_centroids_alpha", "compute_centroids"]}, "eigh": eigh,
    "F": Instead(F, cross_entropy=cross_entropy), "nn": Instead(nn, Linear=Linear), "FSCLIPmethod": Method,
    "Variable": lambda value, requires_grad: value.detach().requires_grad_(requires_grad),
    "argparse": types.SimpleNamespace(Namespace=object)})
method = code["LinearProbe_P2"](
    {"train_epoch": 300, "shots": len(train) // CLASSES, "dataset": "", "output_dir": ""})
found = returned(code["LinearProbe_P2"].forward, method, [(train, train_labels)], [(val, val_labels)], unit(test),
                 test_labels, weights, clip_model, None)
both = [source, tools]
report.add("lp++", both, "step sizes", file, [
    (torch.tensor([found["lr_temp"], float(method.lr_alpha)]), numbers["lp.rates"])])
report.add("lp++", both, "losses of 300 epochs", file, [(torch.stack(losses), numbers["lp.losses"])])
report.add("lp++", both, "weight, bias and α at the end", file, [
    (found["classifier"].weight, numbers["lp.weight"]), (found["classifier"].bias, numbers["lp.bias"]),
    (found["alpha_vec"][0], numbers["lp.alpha"])])
report.add("lp++", both, "kept epoch", file, [(found["best_epoch"] + 1, numbers["lp.epoch"])])
report.add("lp++", both, "test logits of that epoch", file, [(found["logits_test"], numbers["lp.test"])])

report.finish()
