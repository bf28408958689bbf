"""What a perfect random world gives: a study per object, blind to theory, and the commands that judge by it."""
