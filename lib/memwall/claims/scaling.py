"""Ledger rows of the chapter on scaling."""
