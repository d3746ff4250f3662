"""A training that was killed gives the same weights as one that was not, bit for bit."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from memloc.data.tokenizer import train_tokenizer
from memloc.model import training
from memloc.model.subject import Subject
from memloc.model.training import Training, in_precision, learning_rate, new_model
from memloc.run.seeds import generator

SHAPE = {"vocabulary": 64, "n_layers": 2, "n_heads": 4, "width": 16, "context": 16}
N_ROWS, BATCH, N_STEPS = 50, 4, 13
assert_same = partial(torch.testing.assert_close, rtol=0, atol=0)


class Killed(BaseException):
    """Stands in for a signal: nothing of the library may catch it."""


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def rows():
    return np.random.default_rng(0).integers(0, 64, (N_ROWS, 12))


def how(**options):
    """Settings of a training."""
    return SimpleNamespace(
        **{"optimizer": "adamw", "batch": BATCH, "learning_rate": 0.01, "warmup_steps": 3, **options}
    )


def run(rows, checkpoint, kill_at=None, n_steps=N_STEPS, dropout=0.0, bf16=False, seen=None, **options):
    """Model and curve of a training that is killed when it reports `kill_at`; `seen` gets its steps."""
    model = new_model(**SHAPE, seed=0)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout

    def report(step, n_all, loss):
        assert n_all == n_steps
        if seen is not None:
            seen.append(step)
        if step == kill_at:
            raise Killed

    curve = Training(model, how(**options), bf16).run(rows, checkpoint, report)
    return model, curve


@pytest.fixture(autouse=True)
def every_step_is_reported_and_every_third_stored(monkeypatch):
    monkeypatch.setattr(training, "LOG_STEPS", 1)
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 3)


def loss_of(model, tokens):
    return model(tokens, labels=tokens).loss


@pytest.mark.parametrize(
    ("kill_at", "bf16", "optimizer"),
    [(2, True, "adamw"), (3, False, "muon"), (4, False, "adamw"), (9, True, "muon"), (13, False, "muon")],
)
def test_a_killed_training_resumes_to_the_same_weights(rows, tmp_path, kill_at, bf16, optimizer):
    how = {"bf16": bf16, "optimizer": optimizer}
    undisturbed, curve = run(rows, tmp_path / "undisturbed.pt", **how)
    with pytest.raises(Killed):
        run(rows, tmp_path / "killed.pt", kill_at, **how)
    resumed, resumed_curve = run(rows, tmp_path / "killed.pt", **how)
    assert_same(undisturbed.state_dict(), resumed.state_dict())
    assert resumed_curve == curve


def test_points_of_the_curve_are_means_also_of_a_resumed_training(rows, tmp_path, monkeypatch):
    _, every = run(rows, tmp_path / "every.pt")
    rates = [learning_rate(step, N_STEPS, peak=0.01, warmup=3) for step in range(N_STEPS)]
    assert [rate for _, _, rate in every] == rates
    monkeypatch.setattr(training, "LOG_STEPS", 5)
    with pytest.raises(Killed):
        run(rows, tmp_path / "some.pt", kill_at=11)
    _, some = run(rows, tmp_path / "some.pt")
    losses = [loss for _, loss, _ in every]
    means = [np.mean(losses[start:stop]) for start, stop in ((0, 1), (1, 6), (6, 11), (11, 13))]
    assert [step for step, _, _ in some] == [1, 6, 11, 13]  # the last one, too
    assert [loss for _, loss, _ in some] == pytest.approx(means)


def test_a_model_with_dropout_trains_without(rows, tmp_path):
    plain, curve = run(rows, tmp_path / "plain.pt")
    dropping, dropped = run(rows, tmp_path / "dropping.pt", dropout=0.5)
    assert_same(plain.state_dict(), dropping.state_dict())
    assert dropped == curve


def test_a_training_says_that_it_begins_again_where_it_cannot_go_on(rows, tmp_path, capsys):
    """Killed before its first checkpoint, or before its text, code or settings changed."""
    said = {}
    for name, kill_at in (("one", 2), ("one", 4), ("one", 4), ("other", 4)):
        with pytest.raises(Killed):
            run(rows, tmp_path / f"work/{name}.pt", kill_at=kill_at)
        said.setdefault(name, []).append(capsys.readouterr().out)
    again, resumed = "left no checkpoint of this text, code and settings: begins at step 1\n", "resumed at"
    assert [again in text for text in said["one"]] == [False, True, False]
    assert [resumed in text for text in said["one"]] == [False, False, True]
    assert again in said["other"][0]


def test_a_kill_during_the_checkpoint_leaves_the_one_before(rows, tmp_path, monkeypatch):
    undisturbed, _ = run(rows, tmp_path / "undisturbed.pt")
    save, saves = torch.save, []

    def breaks_off(state, path):
        saves.append(path)
        save(state, path)
        if len(saves) == 2:
            path.write_bytes(path.read_bytes()[:100])
            raise Killed

    monkeypatch.setattr(torch, "save", breaks_off)
    with pytest.raises(Killed):
        run(rows, tmp_path / "killed.pt")
    assert torch.load(tmp_path / "killed.pt")["step"] == 3
    assert_same(undisturbed.state_dict(), run(rows, tmp_path / "killed.pt")[0].state_dict())


def test_weights_and_reports_are_those_of_a_plain_loop(rows, tmp_path, monkeypatch):
    """AdamW as published for language models, whose gradients are clipped."""
    monkeypatch.setattr(training, "LOG_STEPS", 5)
    model, plain, reports, norms, losses = new_model(**SHAPE, seed=0), new_model(**SHAPE, seed=0), [], [], []
    own = Training(model, how(learning_rate=0.05), bf16=False)
    own.run(rows, tmp_path / "a.pt", lambda *told: reports.append(told))
    stepper = torch.optim.AdamW(plain.parameters(), betas=(0.9, 0.95), weight_decay=0.01)
    for step, some in enumerate(torch.from_numpy(rows).split(BATCH)):
        stepper.param_groups[0]["lr"] = learning_rate(step, N_STEPS, 0.05, 3)
        stepper.zero_grad()
        logits, true = plain(some).logits[:, :-1], some[:, 1:]
        losses.append(functional.cross_entropy(logits.flatten(0, 1), true.flatten()))
        losses[-1].backward()
        norms.append(torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0))
        stepper.step()
    assert min(norms) < 1 < max(norms)
    for (name, weight), same in zip(model.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(weight, same, atol=1e-4, rtol=1e-3, msg=name)
    ends = ((1, 0), (6, 1), (11, 6), (13, 11))
    expected = [(stop, N_STEPS, sum(losses[start:stop]).item() / (stop - start)) for stop, start in ends]
    assert [told[:2] for told in reports] == [told[:2] for told in expected]
    assert [told[2] for told in reports] == pytest.approx([told[2] for told in expected], rel=1e-4)


def test_muon_moves_matrices_orthogonally_and_adamw_all_else(rows, tmp_path):
    before = dict(new_model(**SHAPE, seed=0).named_parameters())
    after, _ = run(rows[:BATCH], tmp_path / "muon.pt", optimizer="muon", warmup_steps=1, n_steps=1)
    for name, weight in after.named_parameters():
        # Both decay a weight by the rate times 0.01 of it first.
        moved = (weight - before[name] * (1 - 0.01 * 0.01)).detach() / 0.01
        if ".layers." in name and weight.ndim == 2:
            # Nearly every direction by about 1, times 0.2 sqrt(larger side): AdamW's size (2502.16982).
            sizes = torch.linalg.svdvals(moved) / (0.2 * max(weight.shape) ** 0.5)
            assert sizes.median() > 0.5 and sizes.max() < 1.9, name
        else:
            assert moved.abs().max() == pytest.approx(1, abs=1e-3), name


def test_the_matrices_of_the_layers_are_the_editable_ones_of_every_family(any_model):
    editable = [any_model.get_parameter(name) for name in Subject(any_model, 1).weights]
    assert set(training.layer_matrices(any_model)) == set(editable)


def test_bfloat16_is_used_where_asked_for(rows):
    model, tokens = new_model(**SHAPE, seed=0), torch.from_numpy(rows[:5])
    exact = loss_of(model, tokens)
    with in_precision(model, bf16=True):
        rounded = loss_of(model, tokens)
    assert exact.dtype == rounded.dtype == torch.float32
    assert exact != rounded and torch.allclose(exact, rounded, rtol=0.02)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_learning_rate_warms_up_and_decays_to_zero():
    rates = [learning_rate(step, 1000, peak=0.5, warmup=100) for step in range(1000)]
    assert rates[0] == pytest.approx(0.5 / 100)
    assert max(rates) == pytest.approx(0.5, rel=0.03) and 95 <= int(np.argmax(rates)) <= 100
    assert all(np.diff(rates[:95]) > 0) and all(np.diff(rates[100:]) < 0)
    assert rates[500] == pytest.approx(0.25)
    assert 0 < rates[-1] < 1e-5


def test_the_end_of_a_text_is_that_of_the_embedded_tokenizer():
    """What the exported model generates would go on beyond it, otherwise."""
    tokenizer = train_tokenizer(["some words and some more words"] * 3, 300)
    config = new_model(len(tokenizer), n_layers=1, n_heads=2, width=8, context=16, seed=0).config
    assert (config.bos_token_id, config.eos_token_id) == (tokenizer.bos_token_id, tokenizer.eos_token_id)


def test_every_seed_reads_the_same_rows_in_another_order_and_without_one_they_stay_as_drawn(rows):
    assert training.ordered(rows, None) is rows
    first, again, second = (training.ordered(rows, seed) for seed in (0, 0, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second) and not np.array_equal(first, rows)
    for ordered in (first, second):
        assert sorted(map(tuple, ordered)) == sorted(map(tuple, rows))
    drawn = generator(2, "training", "order").permutation(N_ROWS)
    assert np.array_equal(second, [rows[place] for place in drawn])


def test_rounded_norms_spare_every_layer_that_reads_one_a_pass(rows):
    """Their answers, and gradients, are those of layers that round for themselves."""
    tokens, read = torch.from_numpy(rows[:5]), {}
    plain, model = (new_model(**SHAPE, seed=0) for _ in range(2))
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(lambda _, args, name=name: read.update({name: args[0].dtype}))
    with torch.autocast("cpu", torch.bfloat16):
        expected = loss_of(plain, tokens)
    with in_precision(model, bf16=True):
        found = loss_of(model, tokens)
    assert torch.equal(expected, found)
    for loss in (expected, found):
        loss.backward()
    for one, other in zip(plain.parameters(), model.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, rtol=0.05, atol=1e-4)
    assert len(read) == 9 and set(read.values()) == {torch.bfloat16}
    loss_of(model, tokens)
    assert set(read.values()) == {torch.float32}  # as it was
