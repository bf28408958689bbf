"""Networks of a user, sound and wrong in many ways; images of 1 x 6 x 6."""

import torch
from torch import nn

SHAPE = (1, 6, 6)


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 4))


def dense():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 12), nn.ReLU(), nn.Linear(12, 4))


class Bent(nn.Module):
    """Convolutions with a way around them, and a weight of its own."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.first, self.norm = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.second, self.last = nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.Linear(6 * 36, 4)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = torch.tanh(self.norm(self.first(8 * x - 4)))
        return self.scale * self.last((x + self.second(x)).flatten(1))


def bent():
    return Bent()


class Bare(nn.Module):
    """Weights that are no layers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.weight = nn.Parameter(torch.randn(4, 36))

    def forward(self, x):
        return x.flatten(1) @ self.weight.T


def bare():
    return Bare()


class Odd(nn.Module):
    """A linear network whose answers are changed."""

    def __init__(self, change):
        super().__init__()
        self.inner, self.change = linear(), change

    def forward(self, x):
        return self.change(self.inner(x))


def masked():
    """Most of it is steps without a gradient: the one that is left is the slope of something else."""
    return Odd(lambda y: y + (50 * torch.round(y * 20) / 20).detach())


def saturated():
    return Odd(lambda y: 1e4 * y)


def nan():
    return Odd(lambda y: y * float("nan"))


def detached():
    return Odd(lambda y: y.detach())


def half():
    return linear().half()


def weightless():
    return nn.Flatten()


def nothing():
    return 7


def wide():
    return nn.Sequential(nn.Flatten(), nn.Linear(100, 4))


def failing():
    raise RuntimeError("no\nnetwork")
