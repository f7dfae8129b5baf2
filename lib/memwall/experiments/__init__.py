"""What is run, drawn at random, measured or timed, and then held against a formula.

A closed formula does not live here, and nothing here draws a picture.
"""
