"""Webhooks: the group's facts, sent to the systems of partners.

Tables: see services/org/webhook_tables.py. RPCs: huitong.org.v1.WebhookService. It consumes what the other services say
(consumers.py) and writes one row for each endpoint that wants to hear it, in the consumer's transaction; sending.py
sends them. Event: WebhookEndpointDisabled.
"""
