"""What is claimed: pure functions and laws, what they speak of, and the book of claims. Nothing draws or stores."""

from fragility.command.ending import leave_when_asked

leave_when_asked()
