"""Who calls from outside: members and operators by token, machines by signed request, everybody else as the public."""
