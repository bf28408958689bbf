"""What the study records, statistic by statistic."""

from __future__ import annotations

from empirical.latent_defence.setting import CODES, GRADIENTS, KINDS, PENALTIES, SPACES
from fragility.engine.statistics import SHARE, Statistic, Statistics

CELLS, CODED = (len(SPACES), len(KINDS)), (len(CODES), len(KINDS))  # classifiers by what they are given, and by kind
FLIPPED = len(SPACES), "pixels"
OWN, PIXEL = "unit of the space", "unit of a pixel, of [0, 1]"
STATISTICS = Statistics(
    {
        "seed": Statistic("of initial weights, order of images and all noise"),
        "test_accuracy": Statistic("accuracy on what the classifiers are judged by", SHARE, CELLS),
        "train_accuracy": Statistic("accuracy on what they were trained on", SHARE, CELLS),
        "losses": Statistic("mean loss of each epoch; NaN after the last", "nats", (*CELLS, "course")),
        "size": Statistic("mean length ||x|| of what is attacked", OWN, (len(SPACES),)),
        "reconstruction": Statistic("mean of ||D(z) - x|| / ||x|| over images", "", (len(CODES),)),
        "robustness": Statistic("mean ||x_adv - x|| / ||x|| of examples that reached their goal", "", CELLS, True),
        "absolute": Statistic("mean ||x_adv - x|| of these", OWN, CELLS, True),
        "success": Statistic("share of attempts that reached their goal", SHARE, CELLS, True),
        "stalled": Statistic("share of attempts that never left the clean input", SHARE, CELLS, True),
        "attempts": Statistic("attempts on each classifier", "", CELLS),
        "penalties": Statistic("other penalties of the attack", "nats over unit of the space", (len(PENALTIES),)),
        "stalled_at": Statistic("stalled share at each of them", SHARE, (*CELLS, len(PENALTIES)), True),
        "success_at": Statistic("share that reached its goal", SHARE, (*CELLS, len(PENALTIES)), True),
        "robustness_at": Statistic("mean relative length of what reached it", "", (*CELLS, len(PENALTIES)), True),
        "stall_certified": Statistic(
            "share that cannot leave the clean input, by theory", SHARE, (*CELLS, len(PENALTIES)), True
        ),
        "background": Statistic("share of ||delta||^2 where the clean pixel is 0", SHARE, (len(KINDS),), True),
        "background_pixels": Statistic("share of pixels that are 0", SHARE, (len(KINDS),), True),
        "transfer": Statistic(
            "accuracy on examples made for image classifiers: made for, shown to", SHARE, (len(KINDS), len(KINDS)), True
        ),
        "adversarial_accuracy": Statistic("accuracy on codes of images' examples (Figure 6)", SHARE, CODED, True),
        "coded_accuracy": Statistic("accuracy on codes of the images they were made from", SHARE, CODED, True),
        "hit": Statistic("share of the codes of examples that are given the goal", SHARE, CODED, True),
        "pixels": Statistic("median over images of the smallest perturbation of all ways", PIXEL, CELLS),
        "pixels_lower": Statistic("median certified lower bound; 0 where there is none", PIXEL, CELLS),
        "pixels_by": Statistic("median of each way; NaN where it does not apply", PIXEL, (*CELLS, len(GRADIENTS))),
        "pixels_clean": Statistic("accuracy on the images that are attacked in pixels", SHARE, CELLS),
        "failed": Statistic("share of these for which no way found a perturbation", SHARE, CELLS),
        "failed_by": Statistic("the same by way", SHARE, (*CELLS, len(GRADIENTS))),
        "auto": Statistic("accuracy that AutoAttack leaves; NaN where it is not run", SHARE, CELLS),
        "auto_clean": Statistic("accuracy on the same images, clean", SHARE, CELLS),
        "picture": Statistic("first image in pixels that LRL of every space has right", SHARE, ("pixels",)),
        "picture_label": Statistic("its class"),
        "picture_attacked": Statistic("the nearest that flips LRL, by space; NaN where none was found", SHARE, FLIPPED),
        "picture_length": Statistic("how far it is from the first", PIXEL, FLIPPED[:1]),
        "picture_as": Statistic("what LRL of the space takes it for", "", FLIPPED[:1]),
    }
)
