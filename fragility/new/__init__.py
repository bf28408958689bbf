"""A file of claims to start from."""

from fragility.command.ending import leave_when_asked

leave_when_asked()
