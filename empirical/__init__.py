"""What trained networks give: a package per experiment, and the data, models and attacks that they share."""

from fragility.command.ending import leave_when_asked

leave_when_asked()
