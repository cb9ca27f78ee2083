"""The door to the outside: JSON over HTTP in, gRPC to the services, nothing else.

It owns no table and no business rule. Routes, callers, bound fields, limits and the API page are all read from the
protos' annotations, so a new RPC needs no code here.
"""
