#!/usr/bin/env python
"""The same commands as `levity`, from a checkout."""

from levity.__main__ import main

if __name__ == "__main__":
    main()
