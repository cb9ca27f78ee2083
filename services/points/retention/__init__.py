"""Before points expire: renewals, reminders, members who hoard."""
