//! Python's and jinja2's rules, one line each.
