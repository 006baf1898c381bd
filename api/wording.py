"""What a verdict means for a person, for the command line, HTTP and the pages alike (:mod:`verify.report.summary`)."""

from __future__ import annotations

from verify.report.summary import Summary, summary, with_summary

__all__ = ["Summary", "summary", "with_summary"]
