"""The frame of a page of text (HTML) that opens from disk."""

# Nothing of the text is run or fetched, whatever it holds.
PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: anywhere }}
pre, td {{ font: 14px/1.4 monospace; white-space: pre-wrap }}
div {{ overflow-x: auto; overflow-wrap: normal }}
th, td {{ padding: .3rem .5rem; text-align: left; vertical-align: top }}
mark {{ color: inherit; background: light-dark(#f9c8d0, #7a1626) }}
</style>
<h1>{title}</h1>
{content}</html>
"""
