"""Chapter 1: batching, latency and cost (ledger rows B1-B23)."""
