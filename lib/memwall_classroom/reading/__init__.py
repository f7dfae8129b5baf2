"""How an answer is read: what a student's paper carries, and the marker reads with too.

`grammar` is strict; `amounts`, `expressions` and `choices` bring what people write into it, with
`signs`, `pieces` and `words`; `cells` finds answers in a notebook, `answers` marks them, `selfcheck`
tells students how they are read. No key, no score and no other student's work can be reached from here.
"""
