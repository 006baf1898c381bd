"""Frozen records and their transitions. Pure: no database, no clock, no keys."""
