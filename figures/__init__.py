"""What a reader looks at: one file per figure, drawn from records."""

from fragility.command.ending import leave_when_asked

leave_when_asked()
