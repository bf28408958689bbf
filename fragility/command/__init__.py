"""The commands that draw and judge: their flags, their exit codes, and how a study is run."""
