"""`python -m levity.simulator`: the simulator without Django."""

import argparse
import sys

from levity.simulator.cli import EXAMPLES, add_arguments, simulate

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m levity.simulator",
        description="Play a fleet of OCPP 1.6 charge points.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    sys.exit(simulate(parser.parse_args()))
