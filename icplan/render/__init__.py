"""How things look: documents, text, progress. Everything from outside is escaped; no I/O."""
