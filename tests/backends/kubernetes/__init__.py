"""The client of Kubernetes APIs, against a real server and against misbehaving ones."""
