"""Coverage-guided fuzzing of every parser of foreign bytes.

``make fuzz`` stays with each target for a while; ``python -m tests.fuzz TARGET... --seconds N`` with some. The seeds in
``seeds/`` are our own making (:mod:`tests.fuzz.sow`); what fuzzing finds goes to ``.cache/fuzz``, and from there, made
small, into ``seeds/TARGET/`` as a regression test. :mod:`tests.fuzz.test_fuzz` runs all seeds without fuzzing.
"""
