# Where memories grew: the figures of all that is asked about them.

if GROWN:

    rule grown_truth:
        input:
            files_of(figure for figure in FIGURES if figure.only_for == "grown"),
        message:
            "Every method was asked where memories grew, and their places were exchanged."
