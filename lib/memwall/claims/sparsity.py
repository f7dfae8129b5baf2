"""Ledger rows of the chapter on sparsity."""
