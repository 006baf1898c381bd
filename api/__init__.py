"""The doors of certvault: HTTP, pages and the command line. The only place that knows the web."""
