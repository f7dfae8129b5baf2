"""What everything stands on: units, the nouns with their checks, the catalog with its facts, the chapters.

No formula about machines or models lives here, nothing that draws, and nothing that runs.
"""
