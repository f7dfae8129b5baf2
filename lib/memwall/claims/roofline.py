"""Ledger rows of the chapter on roofline."""
