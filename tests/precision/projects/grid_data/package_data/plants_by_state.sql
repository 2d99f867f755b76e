select state, count(*) as plants, sum(capacity_mw) as capacity_mw
from plants
group by state
order by state
