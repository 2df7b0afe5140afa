"""Places to send pings from: what runs a command there, and where others ping. Judges nothing."""
