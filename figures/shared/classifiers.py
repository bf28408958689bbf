"""How the three classifiers of Latent and SVD defences look, in every figure of that paper."""

from figures.shared.style import DECOY, GREEN, SIMULATION

KINDS = {"1l": ("1L", SIMULATION, "o"), "2l": ("2L", DECOY, "s"), "lrl": ("LRL", GREEN, "^")}  # words, colour, mark
DESCRIBED = "1L: one linear layer, 2L: two linear layers, LRL: two with a ReLU between them"
