"""Measure everything in results/mini, and write it into docs/methods.md."""

from collections.abc import Callable
from pathlib import Path

import torch

from deviations import localization, paragraphs
from deviations.edits import ALL, Change, changed, fewer_steps
from deviations.run import Run
from memloc.settings.published import REFERENCE_NLL_WEIGHT

ROOT = Path(__file__).resolve().parents[2]
HEADING = "## Deviations from the authors' code\n"
EFFECTS: dict[str, Callable[[Run], str]] = {
    "unique tokens": paragraphs.unique_tokens,
    "keywords": paragraphs.keywords,
    "both filters": paragraphs.both_filters,
    "published NLL": paragraphs.nll_of_all_tokens,
    "perturbed positions": paragraphs.perturbed_positions,
    "NLL under a perturbed prefix": paragraphs.nll_of_generated,
    "weights": localization.folded_weights,
    "KL divergence in Figure 4": localization.summed_kl,
    "weight w in Figure 4": localization.small_weight,
    "loss of Figure 6": localization.first_token_loss,
    "paragraphs of Figure 7": localization.every_paragraph,
    "token counts of Figure 7": localization.generated_counts,
    "KL divergence of edits": changed("unlearn", Change(summed_kl=True)),
    "weight w of edits": changed("unlearn", Change(nll_weight=REFERENCE_NLL_WEIGHT)),
    "weight decay of edits": changed("unlearn", Change(decay=True)),
    "steps of unlearning": fewer_steps("unlearn"),
    "all of these, unlearning": changed("unlearn", ALL, plotted=True),
    "steps of editing": fewer_steps("edit"),
    "target of editing": changed("edit", Change(other_target=True)),
    "context of the target": changed("edit", Change(memorized_context=True)),
    "all of these, editing": changed("edit", ALL, plotted=True),
}
"""What measures an effect, by the first cell of its row in the table."""


def with_effects(page: str, effects: dict[str, str]) -> str:
    """The page with each effect in the last cell of its row of the table of deviations."""
    before, rest = page.split(HEADING)
    section, *others = rest.split("\n## ", maxsplit=1)
    lines = []
    for line in section.split("\n"):
        what, *cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
        row = [what, *cells[:-1], effects[what]] if what in effects else None
        lines.append(f"| {' | '.join(row)} |" if row else line)
    return before + HEADING + "\n## ".join(["\n".join(lines), *others])


def main() -> None:
    """Measure, show and write."""
    run, found = Run(ROOT / "results/mini"), {}
    torch.set_num_threads(run.settings.threads)  # as in the study's rules
    for what, effect in EFFECTS.items():
        found[what] = effect(run)
        print(f"{what}: {found[what]}", flush=True)
    page = ROOT / "docs/methods.md"
    page.write_text(with_effects(page.read_text(), found))


if __name__ == "__main__":
    main()
