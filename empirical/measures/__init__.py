"""What is read off networks and their data: closest points, gradients along a segment, strokes, photographs."""
