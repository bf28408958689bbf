"""Random worlds that relations speak of: functions of a NumPy generator that draw what the theory of a claim takes."""
