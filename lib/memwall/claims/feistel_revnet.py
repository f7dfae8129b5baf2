"""Ledger rows of the chapter on feistel_revnet."""
