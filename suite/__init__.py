"""The suite as a whole on one machine: embedded servers, the supervisor and the `huitong` command.

Importable without the services; what a command needs of them is imported when it runs.
"""
