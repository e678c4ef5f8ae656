"""AWS: one typed client per service; sessions, retries, paging and error mapping live here only."""
