#!/bin/sh
# Cancel PBS jobs.
exec qdel "$@"
