"""How an answer is read: what a student's paper carries, and the marker reads with too.

No key, no score and no other student's work can be reached from here.
"""
