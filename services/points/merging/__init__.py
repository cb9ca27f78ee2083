"""Two members become one, and two again: their wallets, lot by lot."""
