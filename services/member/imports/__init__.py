"""Member files of business units' own systems: who is a member already, who joins, and where two would be one."""
