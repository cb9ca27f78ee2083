"""Settlement: who owes whom for points, coupons and parking benefits, month by month.

Owns the tables `book`, `merchant`, `business_unit`, `contract`, `entry`, `line`, `lot_part`, `issue`, `issue_funder`,
`redemption`, `total`, `statement`, `period` and `deferred_fact`; serves ContractService and StatementService of
huitong.settlement.v1; emits PeriodClosed. It applies the facts of points, mall, parking and org.

The money ledger has four kinds of account: each merchant's, each business unit's, the points fund and the platform. One
movement becomes one entry (for an expiry: one for each issuer; when others pay too, some more) whose lines sum to zero.
A group settles in one currency, that of its business units; nothing is converted here.

Published formulas. hu(x) rounds half up to the whole fen, prices are hundredths of a fen for one point, terms are those
of the contract with the greatest effective date that is not after the movement's business date:

- issue: the issuer pays hu(points × issue_price / 100) to the fund.
- claw-back: the fund returns hu(c₂ × p / 100) − hu(c₁ × p / 100), where p is the price at which the sale's points were
  issued and c₁, c₂ are the points of the sale clawed back before and after; a full return gives back the whole charge.
- credit by hand: as an issue. Debit by hand: for each lot the fund returns hu(d₂ × p / 100) − hu(d₁ × p / 100) to its
  issuer, where p is the price at issue and d₁, d₂ are the points of the lot debited before and after. It is accrued as
  a claw-back.
- redeem: the fund pays r = hu(points × redeem_price / 100) to the merchant that took the points, which pays
  hu(r × fee_bps / 10000) to the platform. r is shared over the lots by points, largest remainder, ties to the earlier.
- reversal: hu(x × c₂ / n) − hu(x × c₁ / n) of the redemption's two amounts x comes back, n its points, c the points
  given back before and after.
- expiry: for each lot the fund gives up hu(points × price at issue / 100), to the issuer when its contract says so
  (terms of the day of expiry), otherwise to the platform.
- funding: when others than the issuer pay for a sale's points, the issuer's charge, what it gets back for claw-backs
  and debits, and the breakage that it keeps stay as they are. The others pay it their shares of the charge, and get
  their shares of the rest: amounts that have come together over a sale (or a lot, for debits) are shared by points,
  largest remainder, and each movement moves what its shares grew by. Business units and the platform pay the issuer
  directly, other merchants by way of the platform.
- coupon: the platform pays hu(discount × platform_share_bps / 10000); a reversed write-off is the opposite.
- parking: the platform pays hu(tier_waived × parking_waiver_bps / 10000).

A movement's business date is its event's own date, else the local date of its time in the merchant's business unit. It
belongs to that date's month, or to the earliest open month when that one is closed.
"""

LISTENS_TO = ("org", "points", "mall", "parking")
