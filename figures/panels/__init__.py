"""Panels of which the figures are made: theory, simulation, what chance allows, and a decoy."""
