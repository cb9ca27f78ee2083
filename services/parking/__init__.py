"""Parking: plates, stays, fees, and whether the gate opens.

Owns the tables `car_park`, `merchant`, `member`, `member_tier`, `plate_binding`, `tariff`, `vehicle`, `stay` and
`pay_intent`; serves VehicleService and ParkingService of huitong.parking.v1; emits PlateBound and StayEnded. It keeps
copies of org's car parks and merchants and of member's tiers, and spends points through points' WalletService.

Published formulas. All times are instants; minutes are whole, a begun one does not count: m = ⌊(time − entry) / 60 s⌋.

- Fee of m minutes: 0 when m ≤ free; beyond, hour i = 0, 1, 2, … costs the hour's price when m > free + 60 × i. An hour
  belongs to the 24 hours from entry in which it begins, ⌊(free + 60 × i) / 1440⌋, and the hours of each 24 hours cost
  at most the day's cap (0: no cap). Nothing depends on calendars, so midnights and summer time change nothing.
- Tier: waived = fee(m) − fee(max(m − tier's free minutes, 0)). The tier is the one held on the day of entry (local date
  of the car park), of the member to whom the plate belonged at entry, else who bound it during the stay.
- Points pay whole steps of the offset rule, min(⌊due / step's money⌋, ⌊available / step's points⌋); money the rest.
- After paying the vehicle may leave until pay time + grace at no more cost. Later the fee goes on as if it had never
  stopped: fee at exit − waived − paid. Always: tariff fee = waived + points + money + due, none of them negative.

A stay is inside, left, or its exit was lost: the vehicle came in again (at a later time) without having left. A lost
stay ends at that later entry, keeps what was paid and waived until then and owes nothing. When its exit is told after
all, it is dated by it, and money taken at the gate is added to its fee and to what was paid; no second StayEnded.

Paying with points is a small saga, its row is `pay_intent`: planned → points redeemed → payment recorded. A planned
payment whose outcome at points is unknown is finished by a retry or by the worker; if the vehicle has left or the fee
was paid otherwise meanwhile, the points go back to their lots. The gate never waits for it and never counts it.
"""

LISTENS_TO = ("org", "member")
