"""Points as money: redemptions, holds, offsets, payments at a till, and how fast somebody may spend."""
