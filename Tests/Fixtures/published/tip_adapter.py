# Tip-Adapter: its cache, its search, and keys trained on all views at once.
import tempfile
import types

import torch
import torch.nn.functional as F

from common import Instead, Source, report
from features import (
    VIEWS, Views, accuracy, clip_model, cross_entropy, file, losses, names, numbers, returned, test, test_labels,
    train, train_labels, unit, val, val_labels, weights)

commit = "327763e336dc3e8393fadb97c04662c05cb34a38"
tools = Source("gaopengcuhk/Tip-Adapter", commit, "utils.py")
main = Source("gaopengcuhk/Tip-Adapter", commit, "main.py")
helpers = tools.definitions(["build_cache_model", "search_hp"], {**names, "cls_acc": accuracy})
rates, gradients = [], []


class AdamW(torch.optim.AdamW):
    def step(self, *arguments):
        rates.append(torch.tensor(self.param_groups[0]["lr"]))
        gradients.append(self.param_groups[0]["params"][0].grad.clone())
        super().step(*arguments)
        trained[:] = [self.param_groups[0]["params"][0].detach().clone()]


trained = []
optim = types.SimpleNamespace(AdamW=AdamW, lr_scheduler=torch.optim.lr_scheduler)
shim = Instead(torch, optim=optim)
code = main.definitions(["run_tip_adapter", "run_tip_adapter_F"], {
    **names, "torch": shim, "F": Instead(F, cross_entropy=cross_entropy),
    "cls_acc": accuracy, "search_hp": helpers["search_hp"]})
with tempfile.TemporaryDirectory() as folder:
    settings = {
        "load_cache": False, "augment_epoch": VIEWS, "cache_dir": folder, "shots": 3, "search_hp": True,
        "search_scale": [12, 10], "search_step": [200, 20], "init_beta": 1, "init_alpha": 1.17, "lr": 1e-3,
        "train_epoch": 20}
    keys, values = helpers["build_cache_model"](settings, clip_model, Views())
    found = returned(code["run_tip_adapter"], settings, keys, values, unit(val), val_labels, unit(test), test_labels,
                     weights)
    report.add("tip-adapter", [tools, main], "keys", file, [(keys.T, numbers["tip.keys"])])
    report.add("tip-adapter", [tools, main], "chosen α and β", file, [
        (torch.tensor([found["best_alpha"], found["best_beta"]]), numbers["tip.choice"])])
    report.add("tip-adapter", [tools, main], "test logits", file, [(found["tip_logits"], numbers["tip.test"])])
    torch.load, load = (lambda path: load(path, weights_only=False)), torch.load
    code["run_tip_adapter_F"](settings, keys, values, unit(val), val_labels, unit(test), test_labels, weights,
                              clip_model, [(train, train_labels)])
    torch.load = load
report.add("tip-adapter-f", [tools, main], "losses of 20 steps", file, [(torch.stack(losses), numbers["tipf.losses"])])
report.add("tip-adapter-f", [tools, main], "learning rates", file, [(torch.stack(rates), numbers["tipf.rates"])])
report.add("tip-adapter-f", [tools, main], "first gradient", file, [(gradients[0], numbers["tipf.gradient"])])
report.add("tip-adapter-f", [tools, main], "keys after 20 steps", file, [(trained[0], numbers["tipf.keys"])])

report.finish()
