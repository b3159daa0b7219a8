"""One report, four faces: terminal, HTML, Markdown, JSON."""
