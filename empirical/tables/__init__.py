"""Printed, predicted and measured side by side: per study the tables of its paper, from records and theory."""
