"""Projects that are not this one, made on the spot, which install `billing` from its wheel."""
