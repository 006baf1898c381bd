"""Signed files damaged at random: blindly, by their structure, and by incremental updates.

Mutant ``number`` of ``seed`` is always the same bytes, so that a miss can be made again from two numbers.
``python -m tests.support.damage --count N`` runs many; :mod:`tests.attacks.test_damage` runs a fixed sample.
"""
