"""Bad commands of fragility: what follows `python -m`, the exit code, words of the one line on stderr."""

ROWS = [
    ("fragility.new", 2, "the following arguments are required: NAME"),
    ("fragility.new a b", 2, "unrecognized arguments: b"),
    ("fragility.new ''", 2, "NAME must be a name that Python can import, such as walk, got ''"),
    ("fragility.new my-claims", 2, "NAME must be a name that Python can import, such as walk, got 'my-claims'"),
    ("fragility.new books/walk", 2, "NAME must be a name that Python can import, such as walk, got 'books/walk'"),
    ("fragility.new class", 2, "NAME must be a name that Python can import, such as walk, got 'class'"),
    ("fragility.new number", 2, "NAME must be of a file that is not there yet, got number: number.py is"),
    ("fragility.new json", 2, "NAME must be a name of its own, got json, which is that of a module: choose another"),
    ("fragility.new walk >&-", 3, "stdout must be open, got a closed one"),
]
