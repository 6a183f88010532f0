"""These marks choose the tests of a run of `make test`; every file that uses one spells it."""

SPELLED = {"postgres", "postgres_only", "stops_database"}
