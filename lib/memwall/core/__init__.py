"""What everything stands on: units, algebra, the nouns with their checks, tables of facts, the chapters.

No formula about machines or models lives here, nothing that draws, and nothing that runs.
"""
