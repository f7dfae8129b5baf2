"""What readers look at: the look of figures, tables, Gantt charts, and live figures in the page.

Nothing here computes a result: a view is handed formulas, numbers or rows, and shows them.
"""
