"""The Kubernetes API of a zone: objects read and written, and a road to its databases."""
