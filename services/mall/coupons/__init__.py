"""Money-off coupons: templates, issue, write-off and reversal."""
