"""What a sale earns, and why.

rules.py is a rule set as pure values, rating.py what a sale gets by it, explanations.py how that is said. Around them:
offers, conditions and days that decide whether a rule matches; limits, caps and budgets; members' facts and first
purchases; awards of other currencies.
"""
