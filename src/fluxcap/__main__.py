"""``python -m fluxcap``."""

from fluxcap.cli import main

if __name__ == "__main__":
    main()
