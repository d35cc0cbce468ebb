"""A PyTorch program with a checkpoint: a multi-layer perceptron on scikit-learn's digits."""

import argparse
import os

import torch
from sklearn.datasets import load_digits
from torch import nn

import hpsearch

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--hidden", type=int, default=64)
parser.add_argument("--dropout", type=float, default=0.0)
parser.add_argument("--optimizer", choices=["sgd", "adam"], default="adam")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--checkpoint", default="checkpoint.pt")
parser.add_argument("--evaluate", action="store_true")
args = parser.parse_args()

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(args.seed)
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32, device=device)
y = torch.tensor(digits.target, device=device)
train, validation, test = slice(0, 1000), slice(1000, 1300), slice(1300, None)

model = nn.Sequential(
    nn.Linear(64, args.hidden), nn.ReLU(), nn.Dropout(args.dropout), nn.Linear(args.hidden, 10)
).to(device)
kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
optimizer = kinds[args.optimizer](model.parameters(), lr=args.lr)
epoch = 0
if os.path.exists(args.checkpoint):
    saved = torch.load(args.checkpoint, map_location=device, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    torch.set_rng_state(saved["rng"].cpu())
    epoch = saved["epoch"]


def score(rows: slice) -> dict[str, float]:
    """Accuracy and loss on some rows."""
    model.eval()
    with torch.no_grad():
        z = model(x[rows])
    loss = nn.functional.cross_entropy(z, y[rows])
    return {"val_acc": (z.argmax(1) == y[rows]).float().mean(), "val_loss": loss}


if args.evaluate:
    hpsearch.report(**score(test))
else:
    while epoch < args.epochs:
        model.train()
        for batch in torch.randperm(1000).split(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[train][batch]), y[train][batch]).backward()
            optimizer.step()
        epoch += 1
        hpsearch.report(epoch=epoch, **score(validation))
        saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        saved |= {"rng": torch.get_rng_state(), "epoch": epoch}
        torch.save(saved, args.checkpoint + ".new")
        os.replace(args.checkpoint + ".new", args.checkpoint)
