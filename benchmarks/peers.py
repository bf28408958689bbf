"""How each public attack is called to find a short l2 perturbation in the box [0, 1], in settings that suit digits.

An attack is (model, x, label) -> x_adv, for a batch that the model classifies right. A package is imported by its first
call, which raises ImportError where it is not installed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]
# Kept from 0 and 1 for attacks that move arctanh(2 x - 1): black and white pixels have no slope there, and more costs
# length. Each is the best of several tried.
TORCHATTACKS_MARGIN, ART_MARGIN = 0.001, 0.01
TARGETS = 9  # of FAB: the most likely other classes, AutoAttack's number


def foolbox(make: Callable[[Any], Any]) -> Attack:
    """An attack of foolbox, made from its module `attacks`."""

    def run(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
        return _foolbox(make, model, x, label)

    return run


def _foolbox(make: Callable[[Any], Any], model: nn.Module, x: Tensor, label: Tensor, **options: Tensor) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that scipy has moved, of compilation, of arrays that are read only
        import foolbox

        shown = foolbox.PyTorchModel(model, bounds=(0, 1), device=x.device)
        return make(foolbox.attacks).run(shown, x, foolbox.criteria.Misclassification(label), **options)


def brendel_bethge(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    """Brendel and Bethge's attack of foolbox, started where DDN of 100 steps ends; x where that fails."""
    x_adv = DDN(model, x, label)
    with torch.no_grad():
        started = model(x_adv).argmax(1) != label
    if bool(started.any()):
        x_adv[started] = _foolbox(
            lambda attacks: attacks.L2BrendelBethgeAttack(),
            model,
            x[started],
            label[started],
            starting_points=x_adv[started],
        )
    return x_adv


def torchattacks_cw(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    """It searches for no weight: 1 is the one that suits digits, where black pixels can move."""
    import torchattacks

    return torchattacks.CW(model, c=1, steps=1000, lr=0.01)(_inset(x, TORCHATTACKS_MARGIN), label)


def torchattacks_deepfool(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    import torchattacks

    return torchattacks.DeepFool(model)(x, label)


def art_deepfool(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    from art.attacks.evasion import DeepFool

    return _art(DeepFool(_classifier(model, x), nb_grads=10, batch_size=len(x), verbose=False), x, label)


def art_cw(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    from art.attacks.evasion import CarliniL2Method

    attack = CarliniL2Method(
        _classifier(model, x),
        binary_search_steps=9,
        max_iter=100,
        learning_rate=0.3,
        initial_const=1.0,
        batch_size=len(x),
        verbose=False,
    )
    return _art(attack, _inset(x, ART_MARGIN), label)


def _inset(x: Tensor, margin: float) -> Tensor:
    return x.clamp(margin, 1 - margin)


def _classifier(model: nn.Module, x: Tensor) -> Any:
    from art.estimators.classification import PyTorchClassifier

    with torch.no_grad():
        classes = model(x[:1]).shape[1]
    return PyTorchClassifier(
        model, nn.CrossEntropyLoss(), tuple(x.shape[1:]), classes, clip_values=(0.0, 1.0), device_type=x.device.type
    )


def _art(attack: Any, x: Tensor, label: Tensor) -> Tensor:
    return torch.from_numpy(attack.generate(x.cpu().numpy(), label.cpu().numpy())).to(x)


def fab(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    """One run towards whichever boundary is nearest; no radius is given, since the attack minimises the distance."""
    from pyautoattack.fab_pt import FABAttack_PT

    return FABAttack_PT(model, norm="L2").attack_single_run(x, label)


def fab_targeted(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    """A run towards each of the likeliest classes; the package itself leaves an input at the first that succeeds."""
    from pyautoattack.fab_pt import FABAttack_PT

    attack, best = FABAttack_PT(model, norm="L2"), x
    shortest = torch.full((len(x),), torch.inf, device=x.device)
    for rank in range(2, TARGETS + 2):
        attack.target_class = rank
        x_adv = attack.attack_single_run(x, label, is_targeted=True)
        with torch.no_grad():
            flips = model(x_adv).argmax(1) != label
        length = (x_adv - x).flatten(1).norm(dim=1).where(flips, torch.inf)
        best = torch.where((length < shortest).reshape(-1, *[1] * (x.ndim - 1)), x_adv, best)
        shortest = torch.minimum(shortest, length)
    return best


DDN = foolbox(lambda attacks: attacks.DDNAttack(steps=100))
PEERS: Mapping[str, Attack] = {
    "foolbox DDN 100": DDN,
    "foolbox DDN 1000": foolbox(lambda attacks: attacks.DDNAttack(steps=1000)),
    "foolbox DeepFool": foolbox(lambda attacks: attacks.L2DeepFoolAttack()),
    "foolbox C&W 9 x 1000": foolbox(lambda attacks: attacks.L2CarliniWagnerAttack(steps=1000)),
    "foolbox Brendel-Bethge": brendel_bethge,
    "torchattacks DeepFool": torchattacks_deepfool,
    "torchattacks C&W 1000": torchattacks_cw,
    "ART DeepFool": art_deepfool,
    "ART C&W 9 x 100": art_cw,
    "pyautoattack FAB": fab,
    "pyautoattack FAB, targets": fab_targeted,
}
