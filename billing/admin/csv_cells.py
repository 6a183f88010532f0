"""A cell of a CSV file must not be a formula to the spreadsheet that opens it."""

import re
from typing import Any

# A spreadsheet reads these as the beginning of a formula, also after a character that ends a cell: in much of Europe,
# a file with commas is split at semicolons.
FORMULA = re.compile(r"""(?:^|(?<=[;,|\t\r\n]))(?=["\s]*[=+\-@＝＋－＠])""")


def harmless(value: Any) -> Any:
    """Return text that no spreadsheet reads as a formula, whichever separator it uses."""
    return FORMULA.sub("'", value) if isinstance(value, str) else value
