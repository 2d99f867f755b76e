from shop_analytics.definitions import defs as defs
