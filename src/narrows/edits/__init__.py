"""Edits of a Python script's text, by the positions of its syntax: everything else stays byte for byte.

All are pure functions from a source to a source. They give

- the new source;
- the same source where there is nothing to do: what is to be changed does not occur, or is so already;
- None where the edit could not be made safely: a name that may mean two things, a value that is a variable's, arguments
  that are unpacked, syntax that cannot be read. When in doubt, None.

An edit is made twice, in the text and in the syntax tree. If the new text does not read as the new tree, it is None.
"""
