"""Command `memloc recite TEXT.. --model MODEL`: which parts of a text a model recites, from any folder."""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial

from memloc.run.errors import InputError, UserError
from memloc.run.rule import spare_garbage

ANSWERED, FAILED, WRONG, RECITED, STOPPED = 0, 1, 2, 3, 130  # what the command ends with


def main(words: Sequence[str] | None = None) -> None:
    """Do what the words of the command line ask for, and end with a status that says how it went."""
    spare_garbage()
    try:
        sys.exit(_recite(_parser().parse_args(words)))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(WRONG if isinstance(error, InputError) else FAILED)
    except KeyboardInterrupt:
        print("Stopped. What is complete is kept: the same command goes on from there.", file=sys.stderr)
        sys.exit(STOPPED)


def _recite(asked: argparse.Namespace) -> int:
    """Ask, and print the answer: its lines, or one object."""
    from memloc.command.recite import recite

    options = vars(asked)
    as_object, strict = options.pop("json"), options.pop("fail_on_recited")
    say = (lambda line: None) if as_object else partial(print, file=sys.stderr, flush=True)
    answer = recite(options.pop("texts"), options.pop("model"), **options, say=say)
    models = answer["models"]
    if as_object:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        from memloc.command.answer import lines

        print(*lines(models), sep="\n")
    found = any(not passage["unseen"] for each in models for passage in each["passages"])
    return RECITED if strict and found else ANSWERED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("memloc", description=__doc__)
    what = "say which parts of a text a model recites"
    ends = "Status: 0 answered, 1 failed, 2 wrong input, 3 something is recited (with --fail-on-recited)."
    own = parser.add_subparsers(required=True).add_parser("recite", help=what, description=what, epilog=ends)
    own.add_argument("texts", nargs="+", metavar="TEXT", help="file, folder or glob")
    model = "folder with safetensors weights, or model of the hub, as org/name@revision; several are compared"
    own.add_argument("--model", required=True, action="append", metavar="MODEL", help=model)
    unseen = "text that the model cannot have seen, to compare with"
    own.add_argument("--unseen", action="append", default=[], metavar="TEXT", help=unseen)
    own.add_argument("--length", type=int, default=100, metavar="TOKENS", help="of a paragraph (100)")
    own.add_argument("--prefix", type=int, metavar="TOKENS", help="given to the model (half of --length)")
    own.add_argument("--encoding", default="utf-8", metavar="NAME", help="of plain text (utf-8)")
    own.add_argument("--out", metavar="NAME", help="results lie in results/NAME (names of text and models)")
    own.add_argument("--json", action="store_true", help="print one object, and nothing else")
    own.add_argument("--fail-on-recited", action="store_true", help="end with status 3 if text is recited")
    return parser


if __name__ == "__main__":
    main()
