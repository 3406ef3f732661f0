"""The failover race: who answers when a node dies, is cut off, or leaves, beside keepalived."""
