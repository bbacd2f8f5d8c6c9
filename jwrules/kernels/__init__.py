"""Numbers in, numbers out: no names, no headers, no flag names, no files."""
