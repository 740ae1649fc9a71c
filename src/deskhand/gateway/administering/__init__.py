"""What people do to agents: each verb with its entry in the log, in one transaction. They may come by any door."""
