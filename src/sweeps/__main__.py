"""`python -m sweeps`. Kept light: worker processes import this module too."""

if __name__ == "__main__":
    import sys

    from sweeps.main import main

    sys.exit(main(sys.argv[1:]))
