"""Which output is which folder, which pairs there are, and which photograph is nearest."""

import numpy as np
import pytest
from PIL import Image

from empirical.imagenet_compression.pairs import AFGHAN, SPRINGER, coded, gallery, pixels, try_out, unit
from fragility.engine.study import UsageError


def made(tmp_path, wnids, each=1):
    """A gallery of photographs of one grey each, lighter from one to the next."""
    found = []
    for number, wnid in enumerate(wnids):
        for k in range(each):
            path = tmp_path / wnid / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 10), (2 * number + k,) * 3).save(path)
            found.append((wnid, path))
    return found


def dogs():
    """118 sorted names with springer and Afghan hound at their ranks among the dogs."""
    others = [f"n{k:08d}" for k in range(116)]
    names = [*others[:9], AFGHAN, *others[9:65], SPRINGER, *others[65:]]
    names[10:66] = [f"n0209{k:04d}" for k in range(56)]
    names[67:] = [f"n03{k:06d}" for k in range(51)]
    assert names == sorted(names)
    return names


def test_ranks_tell_the_outputs_of_all_dogs(tmp_path):
    names = dogs()
    shown = gallery(made(tmp_path, names))
    assert [shown.output(wnid) for wnid in names] == list(range(151, 269))
    assert shown.output(SPRINGER) == 217
    assert shown.output(AFGHAN) == 160


@pytest.mark.parametrize("missing", [0, 117])
def test_of_other_folders_only_springer_and_afghan_are_known(tmp_path, missing):
    names = dogs()
    extra = "n99999999" if missing == 0 else "n00000000"  # as many folders, but one before the two is another
    shown = gallery(made(tmp_path, sorted([*names[:missing], *names[missing + 1 :], extra])))
    assert (shown.output(SPRINGER), shown.output(AFGHAN)) == (217, 160)
    with pytest.raises(UsageError, match=r"classes.txt must say which output is n0209"):
        shown.output(names[12])


def test_a_file_tells_the_outputs_and_names_each_once(tmp_path):
    photographs = made(tmp_path, ["n2", "n1"])
    (tmp_path / "classes.txt").write_text("n1\nn0\nn2\n")
    assert gallery(photographs).outputs == {"n1": 0, "n0": 1, "n2": 2}
    (tmp_path / "classes.txt").write_text("n1\nn1\n")
    with pytest.raises(UsageError, match="must name each class once, got 2 lines and 1 classes"):
        gallery(photographs)


def test_pairs_are_of_other_classes(tmp_path):
    (tmp_path / "classes.txt").write_text("n1 n2 n3")
    shown = gallery(made(tmp_path, ["n1", "n2", "n3"], each=2))
    assert len(shown.pairs("n1", "all")) == 2 * 2
    assert len(shown.pairs("all", "all")) == 6 * 2
    assert len(shown.pairs("all", "n1")) == 4
    assert [pair.partner for pair in shown.pairs("all", "nearest")] == [None] * 6
    with pytest.raises(UsageError, match="--partners must be another class"):
        shown.pairs("n1", "n1")


def test_the_nearest_photograph_of_a_class_and_of_all_classes(tmp_path):
    (tmp_path / "classes.txt").write_text("n1 n2 n3")
    shown = gallery(made(tmp_path, ["n1", "n2", "n3"], each=2))  # greys 0 1, 2 3, 4 5
    (pair,) = shown.pairs("n1", "n3")[1:]
    wnid, place, other = shown.nearest(pixels(pair.clean, 7), pair, 7)
    assert (wnid, place) == ("n3", 0)
    assert other.shape == (3, 7, 7)
    assert np.all(other == 4)
    pair = shown.pairs("n3", "nearest")[0]
    assert shown.nearest(pixels(pair.clean, 7), pair, 7)[:2] == ("n2", 1)


def test_the_digest_is_of_what_can_be_met_and_of_nothing_else(tmp_path):
    (tmp_path / "classes.txt").write_text("n1 n2 n3")
    photographs = made(tmp_path, ["n1", "n2", "n3"])

    def digests():
        shown = gallery(photographs)
        return [shown.digest(shown.pairs("n1", partners)) for partners in ("n2", "n3", "nearest")]

    before = digests()
    assert len({*before}) == 3
    Image.new("RGB", (12, 10), (9, 9, 9)).save(tmp_path / "n3" / "0.png")
    after = digests()
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert after[2] != before[2]
    (tmp_path / "classes.txt").write_text("n1 n3 n2")
    assert digests()[0] != before[0]


def test_a_network_that_is_never_right_is_not_believed_to_have_the_ranks(tmp_path):
    import torch

    class Constant(torch.nn.Module):
        def __init__(self, output):
            super().__init__()
            self.output = output

        def forward(self, x):
            return torch.eye(1000)[self.output] + 0 * x.flatten(1).sum(1, keepdim=True)

    shown = gallery(made(tmp_path, [SPRINGER, AFGHAN]))
    try_out(Constant(217), shown, 7, "a:b")
    with pytest.raises(UsageError, match=r"got none of 2 photographs right: put a file classes.txt"):
        try_out(Constant(3), shown, 7, "a:b")
    with pytest.raises(UsageError, match="must have an output for each class, up to 217, got 2"):
        try_out(lambda x: torch.zeros(1, 2), shown, 7, "a:b")
    with pytest.raises(UsageError, match=r"must map images \(1, 3, 7, 7\) to \(1, classes\)"):
        try_out(lambda x: torch.zeros(2, 1000), shown, 7, "a:b")
    for answer in (
        {"logits": torch.zeros(1, 1000)},
        torch.full((1, 1000), torch.nan),
        torch.zeros(1, 1000).long(),
        None,
    ):
        with pytest.raises(
            UsageError, match=r"must map images \(1, 3, 7, 7\) to \(1, classes\), got: the model"
        ) as error:
            try_out(lambda x, answer=answer: answer, shown, 7, "a:b")
        assert "\n" not in str(error.value)


def test_an_image_is_coded_by_its_averages():
    import torch

    image = torch.tensor([[10.0, 30.0], [30.0, 50.0]]).expand(1, 3, 2, 2) / 255
    assert coded(image, 1) == [30 * 65536 + 30 * 256 + 30]
    red = unit(np.array([[[255]], [[0]], [[1]]], dtype=np.uint8))
    assert coded(torch.from_numpy(red), 1) == [255 * 65536 + 1]


def test_photographs_of_the_folder_of_data(data):
    from empirical.data import photographs

    shown = gallery(photographs(data))
    if len(shown.files) != 118:
        pytest.skip("not the photographs of all dogs")
    assert not shown.told
    assert sorted(shown.outputs.values()) == list(range(151, 269))
