"""Approvals: what one person asks for is done only after another has agreed."""
