"""What narrows says when it cannot do what it was asked to."""


class Failure(Exception):
    """One clear sentence for the user, and the exit code that goes with it."""

    def __init__(self, message: str, code: int = 125) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
