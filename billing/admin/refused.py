"""An action of staff is refused by this error."""


class Refused(Exception):
    """The action is not possible in the present state. Nothing was changed."""
