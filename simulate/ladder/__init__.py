"""How tight the joint margin bounds are: attack <= exact <= LP <= interval <= tau + zeta <= clean recursion.

On random ReLU networks every rung is measured in the same world: what attackers without theory gain, the exact optimum
(a mixed integer program, small networks), its linear relaxation, CROWN, and the closed forms. The order is proved, so
an inversion beyond rounding is a mistake somewhere: the command then names the world and exits with 1. The printed
tau + zeta stands beside them; it is no bound, and the worlds that contradict it are counted.
"""
