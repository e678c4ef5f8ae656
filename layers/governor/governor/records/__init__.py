"""Records in a bucket: what is in force, what was applied, what every run did, and where every file stands."""
