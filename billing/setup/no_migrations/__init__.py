"""An app whose migrations are looked for here has none: `database` reads the tables of new apps from their models."""
