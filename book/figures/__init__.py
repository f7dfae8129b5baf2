"""What the chapters draw: one plain file a chapter, static and live figures, called from its notebook.

Nothing here computes a result that the text relies on; results come from the library and stand in the notebook.
"""
