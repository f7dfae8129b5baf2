"""Ledger rows of the chapter on pipelining."""
