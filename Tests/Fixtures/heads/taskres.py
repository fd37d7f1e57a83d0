# Forms of TaskRes that its released code has as comments only: a residual on images, both residuals, a learned α.
#
#     python3 taskres.py taskres.safetensors        # torch 2.15.0, safetensors 0.8.0
#
# Ten steps of Adam with coupled decay in double precision, from float32 inputs. Written for this project.
import sys
import torch
from safetensors.torch import save_file

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
C, D, N, SCALE = 4, 8, 12, 30.0
labels = torch.arange(C).repeat(N // C)
centres = torch.randn(C, D)
features = (2 * (1 + centres[labels] + 0.8 * torch.randn(N, D))).float().double()
text = (2 * (1 + centres + 0.9 * torch.randn(C, D))).float().double()
out = {"features": features.float(), "text": text.float(), "labels": labels}
unit = lambda x: x / x.norm(dim=-1, keepdim=True)

for form in ["image", "both"]:
    for learned in [False, True]:
        x, r = torch.zeros(C, D, requires_grad=True), torch.zeros(D, requires_grad=True)
        alpha = torch.tensor([0.5], requires_grad=learned)
        trained = ([x] if form == "both" else []) + [r] + ([alpha] if learned else [])
        optimizer = torch.optim.Adam(trained, lr=2e-3, weight_decay=5e-4)
        losses = []
        for step in range(10):
            classifier = text + alpha * x if form == "both" else text
            logits = SCALE * unit(features + alpha * r) @ unit(classifier).T
            loss = torch.nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad(); loss.backward(); optimizer.step()
            losses.append(loss.item())
        name = form + (".learned" if learned else "")
        out[f"{name}.losses"] = torch.tensor(losses).float()
        for index, tensor in enumerate(trained):
            out[f"{name}.{index}"] = tensor.detach().float().contiguous()

save_file(out, sys.argv[1], metadata={"torch": torch.__version__})
