"""Shifted and flipped images against all crops that there are."""

from itertools import product

import numpy as np
import torch

from empirical.training.augmentation import Shifted
from empirical.training.network import Minibatches, Recipe


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def crops(image, padding):
    """Every crop of a padded image (channels, height, width), flipped or not, by its shift."""
    height, width = image.shape[1:]
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    return {
        (down, right, flip): padded[:, down : down + height, right : right + width][:, :, :: -1 if flip else 1]
        for down, right, flip in product(range(2 * padding + 1), range(2 * padding + 1), (False, True))
    }


def test_every_image_is_one_of_its_crops_and_every_crop_comes_up():
    image = np.random.default_rng(0).random((2, 3, 4))
    all_of_them = crops(image, 1)
    moved = Shifted(1).moved(torch.tensor(image).expand(400, -1, -1, -1), generator()).numpy()
    met = []
    for one in moved:
        (shift,) = [shift for shift, crop in all_of_them.items() if np.array_equal(crop, one)]
        met.append(shift)
    assert set(met) == set(all_of_them)
    assert abs(np.mean([flip for *_, flip in met]) - 0.5) < 0.1  # 4 standard deviations


def test_images_of_a_batch_are_moved_each_on_its_own():
    images = torch.rand(20, 3, 5, 5, generator=generator(1))
    moved = Shifted(2).moved(images, generator())
    for one, image in zip(moved.numpy(), images.numpy(), strict=True):
        assert any(np.array_equal(crop, one) for crop in crops(image, 2).values())
    assert torch.equal(moved, Shifted(2).moved(images, generator()))
    assert not torch.equal(moved, Shifted(2).moved(images, generator(1)))


def test_a_training_augments_as_seed_and_epoch_say():
    class Kept(torch.nn.Linear):
        met: tuple = ()

        def forward(self, x):
            self.met += (x.detach(),)
            return super().forward(x.flatten(1))

    x, y = torch.rand(6, 1, 4, 4, generator=generator()), torch.zeros(6, dtype=torch.int64)
    met = []
    for seed, number in ((0, 1), (0, 1), (0, 2), (1, 1)):
        model = Kept(16, 2)
        Minibatches(model, x, y, seed, Recipe(batch=6, augmentation=Shifted(1))).epoch(number)
        met.append(model.met[0])
    plain = Kept(16, 2)
    Minibatches(plain, x, y, 0, Recipe(batch=6)).epoch(1)
    assert torch.equal(met[0], met[1])
    assert not torch.equal(met[0], met[2])
    assert not torch.equal(met[0], met[3])
    for one, image in zip(met[0].numpy(), plain.met[0].numpy(), strict=True):  # the order is the same
        assert any(np.array_equal(crop, one) for crop in crops(image, 1).values())


def test_a_recipe_says_how_images_are_augmented():
    assert str(Recipe()) != str(Recipe(augmentation=Shifted(4))) != str(Recipe(augmentation=Shifted(2)))
