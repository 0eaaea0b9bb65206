"""What torch.optim makes of a few parameters in a few steps, in float64: the golden values of optimizer_test.go.

    python engine/kernel/testdata/optimizers.py        (torch 2.15.0)
"""
import json
import os

import torch

STEPS = 5
SETTINGS = [
    ("AdamW", dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)),
    ("AdamW", dict(lr=0.001, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.0)),
    ("Adam", dict(lr=0.01, betas=(0.8, 0.95), eps=1e-8, weight_decay=0.05)),
    ("SGD", dict(lr=0.1, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)),
    ("Adagrad", dict(lr=0.1, eps=1e-10, weight_decay=0.01)),
]


def main():
    torch.manual_seed(1)
    # float32 numbers, so that both sides begin with the same ones
    start = torch.randn(7).double()
    gradients = (torch.randn(STEPS, 7) * torch.tensor([1, 10, 0.1, 1e-3, 1, 1, 0])).double()
    cases = []
    for name, settings in SETTINGS:
        p = torch.nn.Parameter(start.clone())
        optimizer = getattr(torch.optim, name)([p], foreach=False, **settings)
        for g in gradients:
            p.grad = g.clone()
            optimizer.step()
        beta1, beta2 = settings.pop("betas", (0, 0))
        cases.append(dict(optimizer=name, beta1=beta1, beta2=beta2, **settings, param=p.tolist()))
    out = os.path.join(os.path.dirname(__file__), "optimizers.json")
    with open(out, "w") as f:
        json.dump(dict(start=start.tolist(), gradients=gradients.tolist(), cases=cases), f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
