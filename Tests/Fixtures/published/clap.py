# CLAP: multipliers, and ten full batches by the step of its trainer. CLIP-Adapter as CLAP's authors have it.
import types

import torch
import torch.nn.functional as F

from common import Instead, Source, report
from features import SCALE, cross_entropy, file, losses, names, numbers, test, test_labels, train, train_labels

source = Source("jusiro/CLAP", "2b18ea467f4d03d3b9ac357ce227187e8ae87be3", "trainers/adapters.py")
parts = ["AdapterMethod.__init__", "AdapterMethod.zero_shot_constraint", "AdapterMethod.init_lagrangian_multipliers",
         "AdapterMethod.init_clipA", "AdapterMethod.forward", "CustomCLIP.forward_features", "CustomCLIP.forward_lp",
         "CustomCLIP.forward_clipadapter", "ADAPTER.forward_backward"]


class Trainer:
    def model_backward_and_update(self, loss):
        self.optim.zero_grad()
        loss.backward()
        self.optim.step()

    def update_lr(self):
        pass


penalties = []
code = source.definitions(parts, {
    **names, "F": Instead(F, cross_entropy=cross_entropy), "TrainerXCostume": Trainer,
    "compute_accuracy": lambda *_: [torch.zeros(())]})


def clap(kind, constraint):
    settings = types.SimpleNamespace(TRAINER=types.SimpleNamespace(
        ADAPTER=types.SimpleNamespace(INIT=kind, CONSTRAINT=constraint, PREC="fp32")))
    model = code["CustomCLIP"]()
    given = types.SimpleNamespace(dtype=torch.float64, logit_scale=torch.tensor(SCALE).log())
    model.logit_scale, model.adapter = given.logit_scale, code["AdapterMethod"](settings, given, numbers["text"])
    return settings, model


settings, model = clap("ZS", "l2")
model.adapter.init_lagrangian_multipliers(train_labels, model.forward_features(train).detach())
report.add("clap", source, "multipliers", file, [(model.adapter.alpha_constraint, numbers["clap.multipliers"])])
trainer = code["ADAPTER"]()
trainer.cfg, trainer.model, trainer.device, trainer.features_test = settings, model, "cpu", test
trainer.labels_test, trainer.batch_idx, trainer.num_batches = test_labels, 0, 1
trainer.optim = torch.optim.SGD([model.adapter.prototypes], lr=0.1, momentum=0.9)
for _ in range(10):
    penalties.append(model.adapter.zero_shot_constraint().detach())
    trainer.forward_backward(train.numpy(), train_labels)
report.add("clap", source, "losses and penalties of 10 steps", file, [
    (torch.stack(losses), numbers["clap.losses"]), (torch.stack(penalties), numbers["clap.penalties"])])
report.add("clap", source, "prototypes after 10 steps", file, [
    (model.adapter.prototypes, numbers["clap.prototypes"])])

_, model = clap("ClipA", "none")
# Their hidden width is a quarter of the features', as the original's; the fixture's is as well.
down, up = model.adapter.mlp[0].weight, model.adapter.mlp[2].weight
with torch.no_grad():
    down.copy_(numbers["adapter.down"])
    up.copy_(numbers["adapter.up"])
logits = model.forward_features(train)
loss = F.cross_entropy(logits, train_labels)
loss.backward()
report.add("clip-adapter", source, "logits and loss", file, [
    (logits, numbers["adapter.logits"]), (loss, numbers["adapter.loss"])])
report.add("clip-adapter", source, "gradients", file, [
    (down.grad, numbers["adapter.down.gradient"]), (up.grad, numbers["adapter.up.gradient"])])

report.finish()
