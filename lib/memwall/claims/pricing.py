"""Ledger rows of the chapter on pricing."""
