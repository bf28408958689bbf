"""How tight the joint margin bounds are: attack <= exact <= LP <= interval <= tau + zeta <= clean recursion."""

from simulate.ladder.command import main

main()
