"""Colours beside those of `figures.shared.style`, all of a palette that the colour-blind tell apart (Okabe and Ito)."""

GREEN, ORANGE, SKY, ROSE = "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
GREY = "#7A7A7A"
