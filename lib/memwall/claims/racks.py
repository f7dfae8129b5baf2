"""Ledger rows of the chapter on racks."""
