"""The parts of dataplane.py: the node, those who keep its tables, and the traffic through them."""
