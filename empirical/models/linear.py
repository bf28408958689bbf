"""Many linear networks n - hidden - 2, each with data of its own, trained together on all sign vectors at once.

Network b maps x to W2 W1 x, without biases, and is to tell the last sign of z from x = A z for all 2^n sign vectors z.
Its logits differ by p . x = (A^T p) . z with p the difference of the two rows of W2 W1, so one step needs the sign
vectors, which all networks share, and matrices of n columns; the hidden layer is met only in W2 W1 and in the
gradients W2^T G and G W1^T. Networks never meet: an optimiser that works on each number alone trains them side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fragility.engine.stop import look

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


def sign_vectors(length: int, like: Tensor) -> Tensor:
    """All 2^length vectors of -1 and 1, (2^length, length), of dtype and device of `like`."""
    import torch

    numbers = torch.arange(2**length, device=like.device)[:, None] >> torch.arange(length, device=like.device)
    return (2 * (numbers & 1) - 1).to(like.dtype)


class SignTask:
    """Cross-entropy over all z, the label being the last sign, as a function of q = A^T p, (size, n).

    Without biases z and -z have the same loss and are both right or both wrong, so the 2^(n-1) vectors with z_n = 1
    tell all. Their logit differences z . q are sums of a part for the first half of the signs and one for the second.
    """

    def __init__(self, n: int, like: Tensor) -> None:
        self.first = sign_vectors((n - 1) // 2, like)
        self.second = sign_vectors(n - 1 - (n - 1) // 2, like)
        self.points = 2 ** (n - 1)

    def margins(self, q: Tensor) -> Tensor:
        """Logit of the label minus the other, (size, first, second)."""
        k = self.first.shape[1]
        return (q[:, -1:] + q[:, :k] @ self.first.T)[:, :, None] + (q[:, k:-1] @ self.second.T)[:, None, :]

    def gradient(self, q: Tensor) -> Tensor:
        """Gradient of the mean loss of each network, (size, n)."""
        import torch

        return -self._weighed(torch.sigmoid(-self.margins(q))) / self.points

    def descent(self, q: Tensor) -> Tensor:
        """Minus the gradient over its largest weight of a point, (size, n): where the loss falls, however small it is.

        Weights 1 - P(label) round to 0 where margins are large; their ratios do not.
        """
        import torch

        doubt = torch.nn.functional.logsigmoid(-self.margins(q))
        return self._weighed((doubt - doubt.amax((1, 2), keepdim=True)).exp())

    def _weighed(self, doubt: Tensor) -> Tensor:
        """Sum of z over the sign vectors with z_n = 1, each with its weight."""
        import torch

        rows, columns = doubt.sum(2), doubt.sum(1)
        return torch.cat((rows @ self.first, columns @ self.second, rows.sum(1, keepdim=True)), dim=1)

    def loss(self, q: Tensor) -> Tensor:
        """Mean loss of each network, (size,)."""
        import torch

        return torch.nn.functional.softplus(-self.margins(q)).mean((1, 2))

    def accuracy(self, q: Tensor) -> Tensor:
        """Share of sign vectors that are classified right, (size,); a tie is wrong."""
        return (self.margins(q) > 0).to(q.dtype).mean((1, 2))


class LinearNetworks:
    """Networks in training: a `Trainee` whose epoch is a round of `steps` full-batch steps.

    Parameters
    ----------
    data : A, (size, n, n), n >= 2, float64: what is seen of the networks is seen in that precision.
    first, second : initial W1, transposed, (size, n, hidden), and W2 (size, 2, hidden), row 0 for z_n = 1; training is
        in their precision. Rows along the hidden layer lie together in memory, which every operation of a step wants.
    optimiser : parameters -> one of torch.optim that treats each number alone (SGD, Adam).
    steps : of a round.
    """

    def __init__(
        self,
        data: Tensor,
        first: Tensor,
        second: Tensor,
        optimiser: Callable[[list[Tensor]], Optimizer],
        steps: int,
    ) -> None:
        self.data, self.steps = data, steps
        self.first, self.second = first.clone(), second.clone()
        self.first.grad, self.second.grad = first.clone(), second.clone()  # room that each step fills
        self.optimiser = optimiser([self.first, self.second])
        self.judge, self.task = SignTask(data.shape[-1], data), SignTask(data.shape[-1], first)
        self.seen: list[Tensor] = []  # probing vectors after each round

    def probing_vectors(self) -> Tensor:
        """Rows of W2 W1, (size, 2, n), float64."""
        return self.second.double() @ self.first.double().mT

    def shares(self, rows: Tensor) -> Tensor:
        """q = A^T p for the difference p of both probing vectors `rows` (size, 2, n), (size, n)."""
        return ((rows[:, :1] - rows[:, 1:]) @ self.data)[:, 0]

    def alignment(self, rows: Tensor) -> Tensor:
        """Cosine between p and minus the gradient of the loss by p, (size,): 1 where only ||p|| can still grow."""
        q = self.shares(rows)
        w = self.judge.descent(q)
        way = (self.data @ w[:, :, None])[:, :, 0]
        return (q * w).sum(1) / ((rows[:, 0] - rows[:, 1]).norm(dim=1) * way.norm(dim=1))

    def train(self, steps: int) -> None:
        """Steps of the optimiser on the mean loss of each network."""
        import torch

        data = self.data.to(self.first.dtype)
        for _ in range(steps):
            look()
            top = self.second[:, :1] - self.second[:, 1:]
            gradient = self.task.gradient(((top @ self.first.mT) @ data)[:, 0])
            g = data @ gradient[:, :, None]  # of the loss by p, (size, n, 1)
            hidden = g.mT @ self.first
            torch.mul(g, top, out=self.first.grad)
            torch.cat((hidden, -hidden), dim=1, out=self.second.grad)
            self.optimiser.step()

    def epoch(self, number: int) -> Mapping[str, float]:
        """A round of steps; means of loss and accuracy over the networks."""
        self.train(self.steps)
        self.seen.append(self.probing_vectors())
        q = self.shares(self.seen[-1])
        return {"loss": float(self.judge.loss(q).mean()), "accuracy": float(self.judge.accuracy(q).mean())}

    def state(self) -> dict[str, Any]:
        """All that further training depends on, and what was seen."""
        return {
            "first": self.first,
            "second": self.second,
            "seen": self.seen,
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes back to a `state`."""
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.seen = [rows.to(self.first.device) for rows in state["seen"]]
        self.optimiser.load_state_dict(state["optimiser"])
