"""A small GPT in PyTorch: the peer and the oracle of `seraph train lm`.

Learned positions, pre-norm blocks, causal attention, exact GELU, a head tied to the token table, no biases; initialised
with N(0, 0.02), residual projections scaled by 1/sqrt(2 layers); AdamW that decays matrices only; a cosine schedule with
linear warm-up. Parameters have the names that GPT-2 checkpoints use; matrices are stored (out, in).
"""
import contextlib
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

PRESETS = {
    "char-cpu": dict(layers=4, heads=4, width=128, block=64, batch=12, dropout=0.0),
    "char-gpu": dict(layers=6, heads=6, width=384, block=256, batch=64, dropout=0.2),
}
TRAINING = dict(lr=1e-3, min_lr=1e-4, warmup=100, steps=2000, beta1=0.9, beta2=0.99, eps=1e-8, weight_decay=0.1, clip=1.0)


class Attention(nn.Module):
    """(B, T, C) -> (B, T, C)"""

    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.c_attn = nn.Linear(width, 3 * width, bias=False)
        self.c_proj = nn.Linear(width, width, bias=False)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.view(b, t, self.heads, c // self.heads).transpose(1, 2) for y in self.c_attn(x).split(c, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=self.dropout if self.training else 0.0)
        y = self.c_proj(y.transpose(1, 2).reshape(b, t, c))
        return F.dropout(y, self.dropout, self.training)


class MLP(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.dropout = dropout
        self.c_fc = nn.Linear(width, 4 * width, bias=False)
        self.c_proj = nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        return F.dropout(self.c_proj(F.gelu(self.c_fc(x))), self.dropout, self.training)


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, bias=False)
        self.attn = Attention(width, heads, dropout)
        self.ln_2 = nn.LayerNorm(width, bias=False)
        self.mlp = MLP(width, dropout)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, vocab, layers, heads, width, block, dropout=0.0, **_):
        super().__init__()
        self.dropout = dropout
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(vocab, width),
            wpe=nn.Embedding(block, width),
            h=nn.ModuleList(Block(width, heads, dropout) for _ in range(layers)),
            ln_f=nn.LayerNorm(width, bias=False),
        ))
        for name, p in self.named_parameters():
            if p.ndim == 2:
                residual = name.endswith("c_proj.weight")
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)

    def forward(self, ids, targets):
        """Mean cross-entropy in nats of targets (B, T) given ids (B, T)."""
        t = self.transformer
        x = t.wte(ids) + t.wpe(torch.arange(ids.shape[1]))
        x = F.dropout(x, self.dropout, self.training)
        for block in t.h:
            x = block(x)
        logits = F.linear(t.ln_f(x), t.wte.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def adamw(model, s, fused=False):
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    return torch.optim.AdamW([dict(params=matrices, weight_decay=s["weight_decay"]), dict(params=vectors, weight_decay=0.0)],
                             lr=s["lr"], betas=(s["beta1"], s["beta2"]), eps=s["eps"], fused=fused)


def learning_rate(step, s):
    if step < s["warmup"]:
        return s["lr"] * (step + 1) / (s["warmup"] + 1)
    if step >= s["steps"]:
        return s["min_lr"]
    ratio = (step - s["warmup"]) / (s["steps"] - s["warmup"])
    return s["min_lr"] + 0.5 * (1 + math.cos(math.pi * ratio)) * (s["lr"] - s["min_lr"])


def characters(text):
    """ids of the training part (first 90 %) and the validation part, and the sorted characters."""
    alphabet = sorted(set(text))
    index = {c: i for i, c in enumerate(alphabet)}
    ids = np.array([index[c] for c in text], dtype=np.int64)
    cut = int(0.9 * len(ids))
    return ids[:cut], ids[cut:], alphabet


def windows(ids, offsets, block):
    """inputs and targets (B, T) that start at the given offsets"""
    rows = np.asarray(offsets)[:, None] + np.arange(block + 1)[None, :]
    both = torch.from_numpy(ids[rows])
    return both[:, :-1].contiguous(), both[:, 1:].contiguous()


@torch.no_grad()
def validation_loss(model, ids, block, batch=64, context=contextlib.nullcontext):
    """Mean loss in nats a token over windows side by side that cover the whole part; the last one is shorter."""
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    full = (len(ids) - 1) // block
    starts = np.arange(full) * block
    jobs = [(starts[i:i + batch], block) for i in range(0, full, batch)]
    rest = len(ids) - 1 - full * block
    if rest:
        jobs.append((np.array([full * block]), rest))
    for offsets, length in jobs:
        x, y = windows(ids, offsets, length)
        with context():
            loss = model(x, y)
        total += float(loss) * x.numel()
        count += x.numel()
    model.train(was_training)
    return total / count


def train_step(model, optimizer, x, y, lr, s, context=contextlib.nullcontext):
    """One step of AdamW; returns (loss, norm of the gradients before clipping)."""
    for group in optimizer.param_groups:
        group["lr"] = lr
    with context():
        loss = model(x, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), s["clip"])
    optimizer.step()
    return loss.detach(), norm
