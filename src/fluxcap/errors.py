"""What is told to the person: one line that says what is wrong with which file, and what to do next."""


class FluxcapError(Exception):
    """Something the person can mend.

    ``message`` names the thing that is wrong, ``hint`` the next step. The command line prints both on one line each and
    ends with ``exit_code`` (3 unless a subclass says otherwise).
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(FluxcapError):
    """The command or ``fluxcap.toml`` asks for something that does not exist; exit code 2."""

    exit_code = 2


class ImageError(FluxcapError):
    """One picture cannot be used; the rest of the folder goes on. ``code`` is the issue's code (``IMG...``)."""

    def __init__(self, message: str, hint: str = "", *, code: str = "IMG001") -> None:
        super().__init__(message, hint)
        self.code = code
