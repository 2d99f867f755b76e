CHECKLIST_2020 = "https://birds.example.org/checklist_2020.zip"
CHECKLIST_2023 = "https://birds.example.org/checklist_2023.zip"
DUCKDB_PATH = "../data/birds.duckdb"
TOOTS_QUERY = "select created_at, content from toots where query = '#birds'"
SEASONS = {12: "winter", 1: "winter", 2: "winter", 3: "spring", 4: "spring", 5: "spring"}
SEASONS |= {month: "summer" for month in (6, 7, 8)}
SEASONS.update({month: "autumn" for month in (9, 10, 11)})
