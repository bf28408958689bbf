"""A figure of the book on random walks.

python ends.py --claims walk.py
"""

from figures.panels.sheet import Panel, Sheet

SHEET = Sheet("walk", "Where random walks end", (Panel("walk.end", "end of a walk", "$S_n$", {"n": 16}),))

PICTURE = SHEET.picture

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
