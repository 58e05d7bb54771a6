"""`python -m sweeps`. Kept light: worker processes import this module too."""

if __name__ == "__main__":
    import os
    import signal
    import sys
    from types import FrameType

    def stop(number: int, frame: FrameType | None) -> None:
        """Exit at once: while libraries are imported there is nothing to clean up."""
        os.write(2, b"Stopped.\n")
        os._exit(128 + number)

    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handled = [number for number in ending if signal.getsignal(number) != signal.SIG_IGN]
    for number in handled:
        signal.signal(number, stop)

    from sweeps.main import main

    status = main(sys.argv[1:])
    for number in handled:
        signal.signal(number, signal.SIG_IGN)  # all is done; only Python's own shutdown remains
    sys.exit(status)
