asset_urls = {
    "carbon_intensity": "https://carbon.example.org/intensity",
    "charge_points": "https://charge.example.org/points.csv",
    "heat_networks": "https://heat.example.org/networks.xlsx",
}
