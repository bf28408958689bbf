"""ReLU networks trained on all sign vectors: what their gradients see of the way to the other class."""
