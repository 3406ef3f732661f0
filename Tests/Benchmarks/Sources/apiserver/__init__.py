"""The parts of cluster.py: who asks the API server, the ground, and what each series measures."""
