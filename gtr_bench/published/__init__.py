"""Numbers other people published: rows with their sources, and which of our worlds they are about.

Nothing here is compared: no test, claim or aggregate reads it.
"""
