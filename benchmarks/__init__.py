"""Speed beside what one would otherwise run, in one run, as ratios: a command per question."""

from fragility.command.ending import leave_when_asked

leave_when_asked()
