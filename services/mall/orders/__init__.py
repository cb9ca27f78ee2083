"""Orders of vouchers for points: a saga over stock and points, and the voucher's use."""
