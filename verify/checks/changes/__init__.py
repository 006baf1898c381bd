"""Comparing the revisions of a signed PDF: every difference is proven harmless by a rule for its place, or is a fault.

:func:`compare` walks the object graphs of two revisions side by side from the trailer. Places that a rule knows
(:mod:`.document`, :mod:`.forms`, :mod:`.pages`, :mod:`.dss` …) may change as ISO 32000-2 12.8.2.2 and 12.8.4 allow;
everything else has to be equal in value, wherever it stands in the file (:mod:`.walk`). An object that two places
share is judged at both. :mod:`.accounting` asks the same of the bytes that no cross-reference leads to.
"""
