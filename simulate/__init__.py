"""What a perfect random world gives: a study per object, blind to theory, and the commands that judge by it."""

from fragility.command.ending import leave_when_asked

leave_when_asked()
