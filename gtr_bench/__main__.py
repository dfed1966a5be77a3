"""`python -m gtr_bench`: the same as the `gtr-bench` script."""

from gtr_bench.cli.main import main

if __name__ == "__main__":
    main()
