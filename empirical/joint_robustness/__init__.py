"""Networks trained in seven ways, attacked in inputs and weights at once: Figure 1 of the paper on joint robustness."""
