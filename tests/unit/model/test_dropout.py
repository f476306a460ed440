"""Quick dropout drops as often as asked, keeps the mean, and depends on torch's seed alone."""

import pytest
import torch
from torch import nn

from zhbert.model.dropout import QuickDropout, stay, use_quick_dropout


@pytest.mark.parametrize("chance", [0.1, 0.25, 0.5, 0.9])
def test_values_drop_as_often_as_asked(chance: float) -> None:
    torch.manual_seed(7)
    kept = stay(torch.Size([1000, 1003]), chance)
    assert float((kept == 0).float().mean()) == pytest.approx(chance, abs=4e-3)
    assert float(kept.mean()) == pytest.approx(1, abs=4e-3 / (1 - chance))
    assert len(kept.unique()) == 2
    lanes = (kept.flatten()[: 4 * 250_000].view(-1, 4) == 0).float()
    assert lanes.mean(0).tolist() == pytest.approx([chance] * 4, abs=5e-3)
    together = (lanes[:, :1] * lanes[:, 1:]).mean(0).tolist()
    assert together == pytest.approx([chance**2] * 3, abs=5e-3)


def test_the_seed_decides() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        layer = QuickDropout(0.5)
        return torch.stack([layer(torch.ones(50)), layer(torch.ones(50))])

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    assert not torch.equal(*drawn(1))


def test_gradients_pass_where_values_do() -> None:
    values = torch.randn(40, 5, requires_grad=True)
    out = QuickDropout(0.3)(values)
    out.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad == 0, out == 0)
    assert torch.allclose(out, values * values.grad)


def test_nothing_drops_when_nothing_should() -> None:
    values = torch.randn(9)
    assert QuickDropout(0.5).eval()(values) is values
    assert torch.equal(QuickDropout(0.0)(values), values)
    assert (QuickDropout(1.0)(values) == 0).all()


def test_every_dropout_of_a_model_becomes_quick_and_keeps_its_chance() -> None:
    inner = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.2)).eval()
    model = nn.Sequential(inner, nn.Dropout(0.4), nn.Dropout2d(0.1))
    names = list(model.state_dict())
    use_quick_dropout(model)
    found = [(type(part), part.p, part.training) for part in model.modules() if hasattr(part, "p")]
    assert found == [(QuickDropout, 0.2, False), (QuickDropout, 0.4, True), (nn.Dropout2d, 0.1, True)]
    assert list(model.state_dict()) == names
