"""The teacher's side: sets, papers, submissions, marks, feedback, and the tables platforms import.

Nothing here runs a line that a student wrote, and nothing here travels in a student's paper.
"""
