"""`python main.py`: run the edge from a checkout, as `python -m levity_ws` does from anywhere."""

import sys

from levity_ws.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
