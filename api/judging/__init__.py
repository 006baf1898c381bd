"""Judging strangers' files in processes of their own, with a ceiling on memory and time.

A file that makes a reader loop or swell costs one process, never the service. The parent hands in the file and all
evidence; the child has no vault, no key, no network use, and answers with a verdict as JSON.
"""
