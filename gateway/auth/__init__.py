"""Who calls from outside: members by token, machines by signed request, everybody else as the public."""
