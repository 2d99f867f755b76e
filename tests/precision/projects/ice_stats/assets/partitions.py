from datetime import datetime

from dagster import DailyPartitionsDefinition, DynamicPartitionsDefinition, StaticPartitionsDefinition

nhl_daily_partition = DailyPartitionsDefinition(start_date="2023-10-10")
nhl_future = DynamicPartitionsDefinition(name="nhl_future")
season_partition = StaticPartitionsDefinition([f"{y}{y + 1}" for y in range(2018, datetime.now().year)])
