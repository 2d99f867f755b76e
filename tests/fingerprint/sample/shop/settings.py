"""What loading does, and what it binds."""

import decimal

CURRENCY = "EUR"
UNUSED_LIMIT = 10

decimal.getcontext().prec = 20
