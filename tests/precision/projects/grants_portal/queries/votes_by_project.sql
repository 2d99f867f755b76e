select project_id, count(distinct voter) as voters, sum(amount_usd) as amount_usd
from votes
group by all
order by project_id
