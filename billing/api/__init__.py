"""This room answers the JSON API.

DRF imports the parsers by name while it loads, so this face re-exports nothing. Other rooms may import `documented`,
`errors`, `permissions` and `serializers`.
"""
