"""The documentation is executed: every block of every page, its links, and the names it puts into backticks.

A page's blocks run in their order, on a site of the page's own with a subscribed Ada (`site`). Its fence says how:

- `python`: in one namespace for the page, which knows `user` (Ada, on Pro by the month) and `request`, a signed-in one
  of hers. A first line `# mysite/settings.py` names a file of a project: settings hold from there on, and must pass the
  checks; what another file holds can be imported by its name.
- `sh`: in a real bash with few programs (`programs`): ours answer from this process, curl reaches this site. Each line
  must end with 0, or with what it says itself: `# exit code 1`, `# 402` for curl.
- `sql`: on the database; only on PostgreSQL where the first line is `-- PostgreSQL`.
- `json`, `html`, `nginx`, `ini`, `cron`: read by who reads them.
- no language, or `text`: what was printed. It is not executed, and so may hold no command.

Any other block fails by page and line, unless `claims` names the test that runs it.
"""
